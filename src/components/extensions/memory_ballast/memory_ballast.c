/*
 * memory_ballast: accepted, since configurations of 2023 and before have it. It calmed the garbage
 * collector of another program; nothing is collected here.
 */
#include <holdfast/component.h>

static const struct hf_field fields[] = {
    {.key = "size_mib", .type = HF_FIELD_IGNORED, .help = "There is no garbage to collect."},
    {.key = "size_in_percentage",
     .type = HF_FIELD_IGNORED,
     .help = "There is no garbage to collect."},
    HF_FIELDS_END,
};

const struct hf_component hf_extension_memory_ballast = {
    .type = "memory_ballast",
    .help = "Accepted without effect, for old configurations.",
    .kind = HF_EXTENSION,
    .fields = fields,
};
