#include "tail_fields.h"

#define RULE(member) offsetof(struct hf_tail_sort_rule, member)

const char *const hf_tail_starts[] = {"end", "beginning", NULL};
const char *const hf_tail_long_lines[] = {"split", "truncate", NULL};
const char *const hf_tail_compressions[] = {"", "gzip", "auto", NULL};
const char *const hf_tail_truncations[] = {"ignore", "read_whole_file", "read_new", NULL};
static const char *const sort_choices[] = {"numeric", "alphabetical", "timestamp", "mtime", NULL};
static const char *const layout_keys[] = {"format", NULL};

static const struct hf_field sort_fields[] = {
    {.key = "sort_type",
     .type = HF_FIELD_ENUM,
     .offset = RULE(type),
     .default_text = "numeric",
     .choices = sort_choices,
     .help = "How the texts compare."},
    {.key = "regex_key",
     .type = HF_FIELD_STRING,
     .offset = RULE(regex_key),
     .help = "The named group of the pattern that is compared; mtime needs none."},
    {.key = "ascending",
     .type = HF_FIELD_BOOL,
     .offset = RULE(ascending),
     .default_text = "false",
     .help = "The lowest first."},
    {.key = "layout",
     .type = HF_FIELD_STRING,
     .offset = RULE(layout),
     .old_keys = layout_keys,
     .help = "timestamp: strptime layout of the text."},
    {.key = "location",
     .type = HF_FIELD_STRING,
     .offset = RULE(location),
     .help = "timestamp: IANA time zone of the text."},
    HF_FIELDS_END,
};

const struct hf_field hf_tail_order_fields[] = {
    {.key = "regex",
     .type = HF_FIELD_STRING,
     .offset = HF_TAIL_AT(order.regex),
     .help = "Pattern with named groups, over whole paths; paths that do not match are not read."},
    {.key = "group_by",
     .type = HF_FIELD_STRING,
     .offset = HF_TAIL_AT(order.group_by),
     .help =
         "Pattern whose first group makes groups of files; top_n is per group. Paths that do not "
         "match are not read."},
    {.key = "top_n",
     .type = HF_FIELD_INT,
     .offset = HF_TAIL_AT(order.top_n),
     .default_text = "1",
     .min = 0,
     .max = 1000000,
     .help = "So many files of each group are read; 0: all."},
    {.key = "sort_by",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = HF_TAIL_AT(order.rules),
     .inner = sort_fields,
     .inner_size = sizeof(struct hf_tail_sort_rule),
     .help = "What files are sorted by, the most important first."},
    HF_FIELDS_END,
};

const struct hf_field hf_tail_multiline_fields[] = {
    {.key = "line_start_pattern",
     .type = HF_FIELD_STRING,
     .offset = HF_TAIL_AT(line_start),
     .help = "An entry begins where this matches."},
    {.key = "line_end_pattern",
     .type = HF_FIELD_STRING,
     .offset = HF_TAIL_AT(line_end),
     .help = "An entry ends where this matches."},
    {.key = "omit_pattern",
     .type = HF_FIELD_BOOL,
     .offset = HF_TAIL_AT(omit_pattern),
     .default_text = "false",
     .help = "Leave the match out of the entry."},
    HF_FIELDS_END,
};
