-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "key_state" AS ENUM ('pending', 'awaiting_certificate', 'active', 'failed', 'revoked');

-- CreateEnum
CREATE TYPE "certificate_mode" AS ENUM ('builtin', 'csr');

-- CreateEnum
CREATE TYPE "signing_state" AS ENUM ('queued', 'signing', 'completed', 'failed', 'canceled');

-- CreateEnum
CREATE TYPE "delivery_state" AS ENUM ('pending', 'delivered', 'failed');

-- CreateTable
CREATE TABLE "tenants" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "scopes" TEXT[],
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT,
    "organization" TEXT,
    "country" TEXT,
    "external_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "keys" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "state" "key_state" NOT NULL DEFAULT 'pending',
    "algorithm" TEXT NOT NULL,
    "certificate_mode" "certificate_mode" NOT NULL,
    "public_key" BYTEA,
    "key_encryption_key_id" TEXT,
    "wrapped_key" BYTEA,
    "binding_signature" BYTEA,
    "csr" BYTEA,
    "active_certificate_id" TEXT,
    "error_code" TEXT,
    "error_message" TEXT,
    "fencing_token" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "worker_id" TEXT,
    "lease_expires_at" TIMESTAMPTZ(3),
    "wake_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "activated_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "revocation_reason" TEXT,

    CONSTRAINT "keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "certificates" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "der" BYTEA NOT NULL,
    "chain" BYTEA[],
    "serial_number" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "not_before" TIMESTAMPTZ(3) NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "certificates_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "grants" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "api_key_id" TEXT NOT NULL,
    "user_id" TEXT,
    "key_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "grants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "batches" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "api_key_id" TEXT,
    "total" INTEGER NOT NULL,
    "remaining" INTEGER NOT NULL,
    "completed" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "canceled" INTEGER NOT NULL DEFAULT 0,
    "rejections" JSONB NOT NULL DEFAULT '[]',
    "metadata" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "batches_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "signings" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "batch_id" TEXT,
    "batch_index" INTEGER,
    "user_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "api_key_id" TEXT,
    "state" "signing_state" NOT NULL DEFAULT 'queued',
    "source_bucket" TEXT NOT NULL,
    "source_key" TEXT NOT NULL,
    "source_version_id" TEXT,
    "source_sha256" TEXT,
    "destination_bucket" TEXT NOT NULL,
    "destination_key" TEXT NOT NULL,
    "reason" TEXT,
    "location" TEXT,
    "contact_info" TEXT,
    "field_name" TEXT,
    "metadata" JSONB,
    "fencing_token" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "worker_id" TEXT,
    "lease_expires_at" TIMESTAMPTZ(3),
    "wake_at" TIMESTAMPTZ(3),
    "result_sha256" TEXT,
    "result_size" BIGINT,
    "result_version_id" TEXT,
    "result_etag" TEXT,
    "level" TEXT,
    "certificate_id" TEXT,
    "stage_millis" JSONB,
    "error_code" TEXT,
    "error_message" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "signings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_records" (
    "tenant_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "request_hash" BYTEA NOT NULL,
    "resource_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_records_pkey" PRIMARY KEY ("tenant_id","key")
);

-- CreateTable
CREATE TABLE "events" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "transaction_id" BIGINT NOT NULL DEFAULT ((pg_current_xact_id())::text)::bigint,
    "sequence" BIGSERIAL NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_endpoints" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "description" TEXT,
    "event_types" TEXT[],
    "sealed_secret" BYTEA NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_deliveries" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "endpoint_id" TEXT NOT NULL,
    "state" "delivery_state" NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "fencing_token" INTEGER NOT NULL DEFAULT 0,
    "lease_expires_at" TIMESTAMPTZ(3),
    "next_attempt_at" TIMESTAMPTZ(3) DEFAULT CURRENT_TIMESTAMP,
    "wake_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_attempts" (
    "delivery_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "status" INTEGER,
    "error_code" TEXT,
    "duration_millis" INTEGER NOT NULL,

    CONSTRAINT "webhook_attempts_pkey" PRIMARY KEY ("delivery_id","number")
);

-- CreateTable
CREATE TABLE "audit_entries" (
    "sequence" BIGSERIAL NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "details" TEXT NOT NULL,
    "position" BIGINT,
    "prev_hash" BYTEA,
    "hash" BYTEA,

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("sequence")
);

-- CreateTable
CREATE TABLE "audit_chain_heads" (
    "tenant_id" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_chain_heads_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_prefix_key" ON "api_keys"("prefix");

-- CreateIndex
CREATE INDEX "api_keys_tenant_id_id_idx" ON "api_keys"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "users_tenant_id_id_idx" ON "users"("tenant_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "users_tenant_id_external_id_key" ON "users"("tenant_id", "external_id");

-- CreateIndex
CREATE UNIQUE INDEX "keys_active_certificate_id_key" ON "keys"("active_certificate_id");

-- CreateIndex
CREATE INDEX "keys_tenant_id_id_idx" ON "keys"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "keys_tenant_id_state_id_idx" ON "keys"("tenant_id", "state", "id");

-- CreateIndex
CREATE INDEX "keys_user_id_state_id_idx" ON "keys"("user_id", "state", "id");

-- CreateIndex
CREATE INDEX "certificates_tenant_id_id_idx" ON "certificates"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "certificates_key_id_id_idx" ON "certificates"("key_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "certificates_key_id_issuer_serial_number_key" ON "certificates"("key_id", "issuer", "serial_number");

-- CreateIndex
CREATE INDEX "grants_api_key_id_user_id_key_id_idx" ON "grants"("api_key_id", "user_id", "key_id");

-- CreateIndex
CREATE INDEX "grants_tenant_id_id_idx" ON "grants"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "batches_tenant_id_id_idx" ON "batches"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "signings_tenant_id_id_idx" ON "signings"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "signings_tenant_id_state_id_idx" ON "signings"("tenant_id", "state", "id");

-- CreateIndex
CREATE INDEX "signings_user_id_id_idx" ON "signings"("user_id", "id");

-- CreateIndex
CREATE INDEX "signings_key_id_id_idx" ON "signings"("key_id", "id");

-- CreateIndex
CREATE INDEX "idempotency_records_created_at_idx" ON "idempotency_records"("created_at");

-- CreateIndex
CREATE INDEX "events_tenant_id_transaction_id_sequence_idx" ON "events"("tenant_id", "transaction_id", "sequence");

-- CreateIndex
CREATE INDEX "events_subject_idx" ON "events"("subject");

-- CreateIndex
CREATE INDEX "webhook_endpoints_tenant_id_id_idx" ON "webhook_endpoints"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "webhook_deliveries_endpoint_id_created_at_id_idx" ON "webhook_deliveries"("endpoint_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "webhook_deliveries_event_id_endpoint_id_key" ON "webhook_deliveries"("event_id", "endpoint_id");

-- CreateIndex
CREATE INDEX "audit_entries_tenant_id_sequence_idx" ON "audit_entries"("tenant_id", "sequence");

-- CreateIndex
CREATE INDEX "audit_entries_subject_idx" ON "audit_entries"("subject");

-- CreateIndex
CREATE UNIQUE INDEX "audit_entries_tenant_id_position_key" ON "audit_entries"("tenant_id", "position");

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "keys" ADD CONSTRAINT "keys_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "keys" ADD CONSTRAINT "keys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "keys" ADD CONSTRAINT "keys_active_certificate_id_fkey" FOREIGN KEY ("active_certificate_id") REFERENCES "certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "keys"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_api_key_id_fkey" FOREIGN KEY ("api_key_id") REFERENCES "api_keys"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "keys"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "batches" ADD CONSTRAINT "batches_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "signings" ADD CONSTRAINT "signings_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "signings" ADD CONSTRAINT "signings_batch_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "batches"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "signings" ADD CONSTRAINT "signings_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "signings" ADD CONSTRAINT "signings_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "keys"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "idempotency_records" ADD CONSTRAINT "idempotency_records_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "events" ADD CONSTRAINT "events_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_event_id_fkey" FOREIGN KEY ("event_id") REFERENCES "events"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoints"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_attempts" ADD CONSTRAINT "webhook_attempts_delivery_id_fkey" FOREIGN KEY ("delivery_id") REFERENCES "webhook_deliveries"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What follows cannot be expressed in schema.prisma.

-- The reconciler's scans: only rows that are not final are in these indexes.
CREATE INDEX "signings_wake_at_idx" ON "signings"("wake_at") WHERE "wake_at" IS NOT NULL;
CREATE INDEX "keys_wake_at_idx" ON "keys"("wake_at") WHERE "wake_at" IS NOT NULL;
CREATE INDEX "webhook_deliveries_wake_at_idx" ON "webhook_deliveries"("wake_at") WHERE "wake_at" IS NOT NULL;
CREATE INDEX "signings_batch_id_id_idx" ON "signings"("batch_id", "id") WHERE "batch_id" IS NOT NULL;
CREATE INDEX "audit_entries_unsealed_idx" ON "audit_entries"("sequence") WHERE "position" IS NULL;

ALTER TABLE "batches" ADD CONSTRAINT "batches_counters_add_up"
  CHECK ("remaining" >= 0 AND "remaining" + "completed" + "failed" + "canceled" = "total");
ALTER TABLE "keys" ADD CONSTRAINT "keys_active_is_complete" CHECK (
  "state" NOT IN ('active', 'awaiting_certificate') OR (
    "public_key" IS NOT NULL AND "key_encryption_key_id" IS NOT NULL
    AND "wrapped_key" IS NOT NULL AND "binding_signature" IS NOT NULL
    AND ("active_certificate_id" IS NOT NULL) = ("state" = 'active')));
ALTER TABLE "signings" ADD CONSTRAINT "signings_lease_while_signing"
  CHECK (("state" = 'signing') = ("lease_expires_at" IS NOT NULL));
ALTER TABLE "signings" ADD CONSTRAINT "signings_final_is_complete" CHECK (
  ("state" IN ('completed', 'failed', 'canceled')) = ("finished_at" IS NOT NULL)
  AND ("state" IN ('completed', 'failed', 'canceled')) = ("wake_at" IS NULL)
  AND ("state" = 'completed') = ("result_sha256" IS NOT NULL)
  AND ("state" <> 'failed' OR "error_code" IS NOT NULL));

-- An audit entry is written once, sealed once, and stays.
CREATE FUNCTION "audit_entries_protect"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD."position" IS NULL AND OLD."hash" IS NULL
     AND NEW."position" IS NOT NULL AND NEW."prev_hash" IS NOT NULL AND NEW."hash" IS NOT NULL
     AND (NEW."sequence", NEW."tenant_id", NEW."at", NEW."actor", NEW."action", NEW."subject", NEW."details")
       = (OLD."sequence", OLD."tenant_id", OLD."at", OLD."actor", OLD."action", OLD."subject", OLD."details")
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'audit entries cannot be changed or removed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER "audit_entries_protect_rows" BEFORE UPDATE OR DELETE ON "audit_entries"
  FOR EACH ROW EXECUTE FUNCTION "audit_entries_protect"();
CREATE TRIGGER "audit_entries_protect_table" BEFORE TRUNCATE ON "audit_entries"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_entries_protect"();

-- The head of a chain only moves forward.
CREATE FUNCTION "audit_chain_heads_protect"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW."tenant_id" = OLD."tenant_id" AND NEW."position" > OLD."position" THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the head of an audit chain only moves forward' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER "audit_chain_heads_protect_rows" BEFORE UPDATE OR DELETE ON "audit_chain_heads"
  FOR EACH ROW EXECUTE FUNCTION "audit_chain_heads_protect"();
CREATE TRIGGER "audit_chain_heads_protect_table" BEFORE TRUNCATE ON "audit_chain_heads"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_chain_heads_protect"();
