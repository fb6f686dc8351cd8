/*
 * file_storage: where the queues live. Only configuration: the service reads it before the graph is
 * opened.
 */
#include <holdfast/component.h>
#include <holdfast/storage.h>

#define AT(member) offsetof(struct hf_storage_config, member)

static const struct hf_field compaction_fields[] = {
    {.key = "on_start",
     .type = HF_FIELD_IGNORED,
     .help = "Segments give their space back by themselves; compaction is unnecessary."},
    {.key = "on_rebound",
     .type = HF_FIELD_IGNORED,
     .help = "Segments give their space back by themselves; compaction is unnecessary."},
    {.key = "directory", .type = HF_FIELD_IGNORED, .help = "Compaction is unnecessary."},
    {.key = "rebound_needed_threshold_mib",
     .type = HF_FIELD_IGNORED,
     .help = "Compaction is unnecessary."},
    {.key = "rebound_trigger_threshold_mib",
     .type = HF_FIELD_IGNORED,
     .help = "Compaction is unnecessary."},
    {.key = "max_transaction_size", .type = HF_FIELD_IGNORED, .help = "Compaction is unnecessary."},
    {.key = "check_interval", .type = HF_FIELD_IGNORED, .help = "Compaction is unnecessary."},
    {.key = "cleanup_on_start", .type = HF_FIELD_IGNORED, .help = "Compaction is unnecessary."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "directory",
     .type = HF_FIELD_STRING,
     .offset = AT(directory),
     .help =
         "The data directory; --data-dir and HOLDFAST_DATA_DIR win over it. Counts from the next "
         "start, not from a reload."},
    {.key = "fsync",
     .type = HF_FIELD_BOOL,
     .offset = AT(fsync),
     .default_text = "true",
     .help =
         "false: a power cut may lose the last seconds; a kill still loses nothing. Counts from "
         "the next start, not from a reload."},
    {.key = "timeout",
     .type = HF_FIELD_IGNORED,
     .help = "A second process waits for the lock and takes over."},
    {.key = "create_directory", .type = HF_FIELD_IGNORED, .help = "The directory is always made."},
    {.key = "directory_permissions", .type = HF_FIELD_IGNORED, .help = "The directory is 0700."},
    {.key = "recreate",
     .type = HF_FIELD_IGNORED,
     .help = "Damaged parts are set aside and the rest is served."},
    {.key = "max_size", .type = HF_FIELD_IGNORED, .help = "Use sending_queue::max_bytes."},
    {.key = "compaction",
     .type = HF_FIELD_STRUCT,
     .inner = compaction_fields,
     .help = "Accepted and unnecessary."},
    HF_FIELDS_END,
};

/* The whole configuration. */
static const struct hf_storage_config *storage(const void *config)
{
    return config;
}

static const struct hf_extension_ops extension_ops = {
    .storage = storage,
};

const struct hf_component hf_extension_file_storage = {
    .type = "file_storage",
    .help = "Names the data directory of the durable queues.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct hf_storage_config),
    .fields = fields,
    .extension = &extension_ops,
};
