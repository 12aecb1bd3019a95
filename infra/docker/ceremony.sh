#!/bin/sh
# The key ceremony of a trial fleet on SoftHSM2, once: PINs, two tokens, `signfleet hsm init`.
# With a real HSM people do this at the HSM, and the recovery key never touches this machine.
set -eu
custody=/var/lib/signfleet/custody
trust=/run/signfleet/trust

if [ -f "$trust/ca-certificate.pem" ]; then
  echo "ceremony: done already"
  exit 0
fi

umask 077
for role in signing provisioning; do
  pin_file=/run/signfleet/$role-pin/pin
  [ -f "$pin_file" ] || openssl rand -hex 16 > "$pin_file"
  label=signfleet-$role
  if ! softhsm2-util --show-slots | grep -q "Label: *$label *\$"; then
    openssl rand -hex 16 > "$custody/$role-so-pin"
    softhsm2-util --init-token --free --label "$label" \
      --so-pin "$(cat "$custody/$role-so-pin")" --pin "$(cat "$pin_file")"
  fi
done

node dist/cli/bin/main.js hsm init --folder "$custody" \
  --signing-token 'pkcs11:token=signfleet-signing' \
  --signing-pin-file /run/signfleet/signing-pin/pin \
  --provisioning-token 'pkcs11:token=signfleet-provisioning' \
  --provisioning-pin-file /run/signfleet/provisioning-pin/pin

umask 022
cp "$custody/enrolment-public-key.pem" "$trust/"
cp "$custody/ca-certificate.pem" "$trust/ca-certificate.pem.new"
mv "$trust/ca-certificate.pem.new" "$trust/ca-certificate.pem"
