#include "objects_config.h"

#include "support/scrape/only_leader.h"

const char *const objects_changes[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", NULL};

const char *objects_check(const void *config)
{
    const struct objects_config *configured = config;
    const struct object_config *kinds = configured->objects.items;
    for (size_t i = 0; i < configured->objects.count; i++) {
        if (kinds[i].mode == OBJECTS_PULL && kinds[i].exclude_watch_type.count != 0) {
            return "objects: exclude_watch_type is for the mode watch only";
        }
        if (kinds[i].namespaces.count != 0 && kinds[i].exclude_namespaces.count != 0) {
            return "objects: namespaces and exclude_namespaces exclude each other";
        }
    }
    return NULL;
}

static const char *const mode_choices[] = {"pull", "watch", NULL};
static const char *const error_choices[] = {"propagate", "ignore", "silent", NULL};

#define OBJECT(member) offsetof(struct object_config, member)

static const struct hf_field object_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(name),
     .required = true,
     .help = "The kind, as in URLs: pods, events, deployments."},
    {.key = "group",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(group),
     .help = "Its API group; without: the first that has the name, the core group before all."},
    {.key = "mode",
     .type = HF_FIELD_ENUM,
     .offset = OBJECT(mode),
     .choices = mode_choices,
     .default_text = "pull",
     .help = "All objects at an interval, or each change as it comes."},
    {.key = "interval",
     .type = HF_FIELD_DURATION,
     .offset = OBJECT(interval_ns),
     .default_text = "1h",
     .min = 1e6,
     .max = 1e18,
     .help = "Of the mode pull: from one list to the next."},
    {.key = "initial_delay",
     .type = HF_FIELD_DURATION,
     .offset = OBJECT(initial_delay_ns),
     .help = "Time from the start to the first pull, or to the watch."},
    {.key = "label_selector",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(label_selector),
     .help = "Only objects with these labels: a=b,c!=d."},
    {.key = "field_selector",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(field_selector),
     .help = "Only objects with these fields: status.phase=Running."},
    {.key = "resource_version",
     .type = HF_FIELD_STRING,
     .offset = OBJECT(resource_version),
     .help = "Of the mode watch: from where to begin at the first start; without, from now on. "
             "Later starts go on where the one before stood."},
    {.key = "namespaces",
     .type = HF_FIELD_STRING_LIST,
     .offset = OBJECT(namespaces),
     .help = "The namespaces; all without."},
    {.key = "exclude_namespaces",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OBJECT(exclude_namespaces),
     .inner = hf_filter_list_fields,
     .inner_size = sizeof(struct hf_filter_list_config),
     .help = "Namespaces whose objects are left out."},
    {.key = "persist_resource_version",
     .type = HF_FIELD_IGNORED,
     .help = "The place of a watch is always kept, with the records in the queue."},
    {.key = "exclude_watch_type",
     .type = HF_FIELD_STRING_LIST,
     .offset = OBJECT(exclude_watch_type),
     .choices = objects_changes,
     .help = "Of the mode watch: changes that are left out. BOOKMARK and ERROR never become "
             "records."},
    HF_FIELDS_END,
};

const struct hf_field objects_fields[] = {
    HF_KUBE_FIELDS,
    {.key = "objects",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct objects_config, objects),
     .inner = object_fields,
     .inner_size = sizeof(struct object_config),
     .required = true,
     .help = "The kinds of objects to read."},
    {.key = "include_initial_state",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct objects_config, include_initial_state),
     .default_text = "false",
     .help = "Of the mode watch: the objects that are there at the start are reported as ADDED; "
             "resource_version does not count then."},
    {.key = "error_mode",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct objects_config, error_mode),
     .choices = error_choices,
     .default_text = "propagate",
     .help = "Accepted; a kind that the API does not serve is always logged and asked for again."},
    {.key = "storage",
     .type = HF_FIELD_IGNORED,
     .help = "The place of a watch is kept with the records in the queue."},
    HF_ONLY_LEADER_FIELD(offsetof(struct objects_config, elector)),
    HF_FIELDS_END,
};
