#include "profile_tables.h"

#include "document_internal.h"
#include "scan.h"
#include "utf8.h"

enum {
    DICTIONARY = 2,        /* of ExportProfilesServiceRequest */
    STRING_TABLE = 5,      /* of ProfilesDictionary */
    ATTRIBUTE_TABLE = 6,   /* of that */
    KEY = 1,               /* of KeyValueAndUnit */
    VALUE = 2,             /* of that */
    ATTRIBUTE_INDICES = 11 /* of Profile */
};

struct hf_profile_tables {
    struct hf_slice *texts;
    size_t text_count;
    struct hf_message **attributes; /* KeyValueAndUnit */
    size_t attribute_count;
};

static bool index_texts(struct hf_profile_tables *tables, struct hf_document *document,
                        struct hf_message *dictionary)
{
    struct hf_slice text;
    struct hf_wire wire = hf_message_texts(dictionary, STRING_TABLE);
    while (hf_wire_each(&wire, STRING_TABLE, &text)) {
        tables->text_count++;
    }
    tables->texts = hf_document_take(document, (tables->text_count + 1) * sizeof(text));
    if (tables->texts == NULL) {
        return false;
    }
    wire = hf_message_texts(dictionary, STRING_TABLE);
    for (size_t i = 0; hf_wire_each(&wire, STRING_TABLE, &text); i++) {
        tables->texts[i] = hf_utf8_is_valid(text) ? text : HF_EMPTY_SLICE;
    }
    return true;
}

static bool index_attributes(struct hf_profile_tables *tables, struct hf_document *document,
                             struct hf_message *dictionary)
{
    size_t count = hf_message_count(dictionary, ATTRIBUTE_TABLE);
    tables->attributes = hf_document_take(document, (count + 1) * sizeof(*tables->attributes));
    if (tables->attributes == NULL) {
        return false;
    }
    struct hf_message *one = hf_message_first(dictionary, ATTRIBUTE_TABLE);
    for (; one != NULL; one = hf_message_next(one)) {
        tables->attributes[tables->attribute_count++] = one;
    }
    return true;
}

/* NULL: out of memory, which the document notes. */
static const struct hf_profile_tables *tables_of(struct hf_document *document)
{
    if (document->tables != NULL) {
        return document->tables;
    }
    struct hf_message *dictionary = hf_message_one(hf_document_root(document), DICTIONARY);
    struct hf_profile_tables *tables = hf_document_take(document, sizeof(*tables));
    if (tables == NULL) {
        return NULL;
    }
    *tables = (struct hf_profile_tables){.texts = NULL};
    if (dictionary != NULL && (!index_texts(tables, document, dictionary) ||
                               !index_attributes(tables, document, dictionary))) {
        return NULL;
    }
    document->tables = tables;
    return tables;
}

static struct hf_slice text_at(const struct hf_profile_tables *tables, int64_t index)
{
    return index >= 0 && (uint64_t)index < tables->text_count ? tables->texts[index]
                                                              : HF_EMPTY_SLICE;
}

struct hf_slice hf_profile_text(struct hf_document *document, int64_t index)
{
    const struct hf_profile_tables *tables = tables_of(document);
    return tables != NULL ? text_at(tables, index) : HF_EMPTY_SLICE;
}

/* Steps through the attributes of a profile. */
struct steps {
    const struct hf_profile_tables *tables;
    struct hf_wire_numbers indices;
};

static bool next(struct steps *steps, struct hf_any_pair *ret_pair)
{
    uint64_t index;
    while (hf_wire_next_number(&steps->indices, &index)) {
        if (index < steps->tables->attribute_count) {
            struct hf_message *attribute = steps->tables->attributes[index];
            struct hf_slice value = hf_message_any(attribute, VALUE);
            *ret_pair = (struct hf_any_pair){text_at(steps->tables, hf_message_i64(attribute, KEY)),
                                             hf_scan_value(value) ? value : HF_EMPTY_SLICE};
            return true;
        }
    }
    return false;
}

bool hf_profile_attribute(struct hf_message *profile, struct hf_slice key,
                          struct hf_slice *ret_value)
{
    struct steps steps = {.tables = tables_of(hf_message_document(profile)),
                          .indices = hf_message_numbers(profile, ATTRIBUTE_INDICES)};
    struct hf_any_pair pair;
    while (steps.tables != NULL && next(&steps, &pair)) {
        if (hf_slice_equal(pair.key, key)) {
            *ret_value = pair.value;
            return true;
        }
    }
    return false;
}

enum hf_status hf_profile_attributes(struct hf_message *profile, struct hf_any_pair **ret_pairs,
                                     size_t *ret_count)
{
    struct hf_document *document = hf_message_document(profile);
    struct steps steps = {.tables = tables_of(document),
                          .indices = hf_message_numbers(profile, ATTRIBUTE_INDICES)};
    struct hf_any_pair pair;
    size_t count = 0;
    if (steps.tables == NULL) {
        return HF_NOMEM;
    }
    while (next(&steps, &pair)) {
        count++;
    }
    struct hf_any_pair *pairs = hf_document_take(document, (count + 1) * sizeof(*pairs));
    if (pairs == NULL) {
        return HF_NOMEM;
    }
    steps.indices = hf_message_numbers(profile, ATTRIBUTE_INDICES);
    for (size_t i = 0; next(&steps, &pair); i++) {
        pairs[i] = pair;
    }
    *ret_pairs = pairs;
    *ret_count = count;
    return HF_OK;
}
