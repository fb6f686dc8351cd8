/*
 * cgroup_runtime: accepted, since configurations for containers have it. It tells the scheduler and
 * the garbage collector of another program what its cgroup allows. Here memory_limiter reads the
 * limit of the cgroup itself, and threads do not depend on the number of processors.
 */
#include <holdfast/component.h>

static const struct hf_field fields[] = {
    {.key = "gomaxprocs",
     .type = HF_FIELD_IGNORED,
     .help = "There is no scheduler that counts processors."},
    {.key = "gomemlimit", .type = HF_FIELD_IGNORED, .help = "There is no garbage to collect."},
    HF_FIELDS_END,
};

static const char *const aliases[] = {"cgroupruntime", NULL};

const struct hf_component hf_extension_cgroup_runtime = {
    .type = "cgroup_runtime",
    .aliases = aliases,
    .help = "Accepted without effect, for configurations of containers.",
    .kind = HF_EXTENSION,
    .fields = fields,
};
