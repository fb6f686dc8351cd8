/*
 * redaction: removes attributes that are not allowed, and masks values that should not be told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "redact.h"
#include "util/regex/regex.h"

struct sanitizer_config {
    bool enabled;
    struct hf_string_list attributes;
    bool sanitize_span_name;
};

struct db_config {
    struct sanitizer_config sql, redis, valkey, memcached, mongo, opensearch, es;
    bool sanitize_span_name;
};

/* By enum hf_database. */
static const struct sanitizer_config *database_config(const struct db_config *config,
                                                      enum hf_database database)
{
    const struct sanitizer_config *all[] = {&config->sql,       &config->redis, &config->valkey,
                                            &config->memcached, &config->mongo, &config->opensearch,
                                            &config->es};
    return all[database];
}

struct redaction_config {
    bool allow_all_keys, redact_all_types;
    struct hf_string_list allowed_keys, ignored_keys, ignored_key_patterns;
    struct hf_string_list blocked_key_patterns, blocked_values, allowed_values;
    int64_t hash_function, summary;
    const char *hmac_key, *masking_string;
    struct sanitizer_config url_sanitizer;
    struct db_config db_sanitizer;
};

struct redaction {
    struct hf_redact_rules rules;
};

enum { KEY_MIN_SHA256 = 32, KEY_MIN_SHA512 = 64 };

/* Keys that the processor itself writes, and that another one behind it must keep. */
static const char *const own_keys[] = {
    "redaction.redacted.keys", "redaction.redacted.count", "redaction.masked.keys",
    "redaction.masked.count",  "redaction.ignored.count",
};
#define OWN_KEY_COUNT (sizeof(own_keys) / sizeof(own_keys[0]))

static void free_list(struct hf_regex_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        hf_regex_free(list->items[i]);
    }
    free(list->items);
}

static enum hf_status make_list(const char *name, const struct hf_string_list *patterns,
                                struct hf_regex_list *list, char *reterr)
{
    enum hf_status status = HF_OK;
    list->items = calloc(patterns->count + 1, sizeof(struct hf_regex *));
    if (list->items == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < patterns->count && status == HF_OK; i++) {
        char why[HF_REGEX_ERROR_MAX];
        status = hf_regex_new(patterns->items[i], &list->items[i], why);
        if (status == HF_INVALID) {
            snprintf(reterr, HF_ERROR_MAX, "%s[%zu]: %s", name, i, why);
        }
        list->count += status == HF_OK;
    }
    return status;
}

static enum hf_status make_set(const struct hf_string_list *keys, bool with_own,
                               struct hf_key_set *set)
{
    set->items = calloc(keys->count + OWN_KEY_COUNT, sizeof(*set->items));
    if (set->items == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < keys->count; i++) {
        set->items[set->count++] = hf_slice_text(keys->items[i]);
    }
    for (size_t i = 0; with_own && i < OWN_KEY_COUNT; i++) {
        set->items[set->count++] = hf_slice_text(own_keys[i]);
    }
    qsort(set->items, set->count, sizeof(*set->items), hf_slice_order);
    return HF_OK;
}

static enum hf_status make_sanitizers(const struct redaction_config *config,
                                      struct hf_sanitizers *sanitizers)
{
    enum hf_status status = HF_OK;
    sanitizers->of_urls = config->url_sanitizer.enabled;
    sanitizers->of_url_span_names = config->url_sanitizer.sanitize_span_name;
    sanitizers->of_database_span_names = config->db_sanitizer.sanitize_span_name;
    if (sanitizers->of_urls) {
        status = make_set(&config->url_sanitizer.attributes, false, &sanitizers->url_attributes);
    }
    for (int i = 0; i < HF_DATABASE_COUNT && status == HF_OK; i++) {
        const struct sanitizer_config *database =
            database_config(&config->db_sanitizer, (enum hf_database)i);
        sanitizers->databases[i].enabled = database->enabled;
        sanitizers->has_database |= database->enabled;
        if (database->enabled) {
            status = make_set(&database->attributes, false, &sanitizers->databases[i].attributes);
        }
    }
    return status;
}

static void release_rules(struct hf_redact_rules *rules)
{
    free(rules->sanitizers.url_attributes.items);
    for (int i = 0; i < HF_DATABASE_COUNT; i++) {
        free(rules->sanitizers.databases[i].attributes.items);
    }
    free(rules->allowed_keys.items);
    free(rules->ignored_keys.items);
    free_list(&rules->ignored_key_patterns);
    free_list(&rules->blocked_key_patterns);
    free_list(&rules->allowed_values);
    free_list(&rules->blocked_values);
}

static enum hf_status make_rules(const struct redaction_config *config,
                                 struct hf_redact_rules *rules, char *reterr)
{
    const char *key = config->hmac_key != NULL ? config->hmac_key : "";
    const struct {
        const char *name;
        const struct hf_string_list *patterns;
        struct hf_regex_list *list;
    } lists[] = {
        {"ignored_key_patterns", &config->ignored_key_patterns, &rules->ignored_key_patterns},
        {"blocked_key_patterns", &config->blocked_key_patterns, &rules->blocked_key_patterns},
        {"allowed_values", &config->allowed_values, &rules->allowed_values},
        {"blocked_values", &config->blocked_values, &rules->blocked_values},
    };
    rules->allow_all_keys = config->allow_all_keys;
    rules->all_types = config->redact_all_types;
    rules->summary = config->summary > HF_REDACT_DEBUG ? HF_REDACT_SILENT
                                                       : (enum hf_redact_summary)config->summary;
    rules->mask.kind = (enum hf_mask_kind)config->hash_function;
    rules->mask.key = hf_slice_text(key);
    rules->mask.stars = hf_slice_text(config->masking_string != NULL ? config->masking_string : "");
    enum hf_status status = make_set(&config->allowed_keys, true, &rules->allowed_keys);
    if (status == HF_OK) {
        status = make_set(&config->ignored_keys, false, &rules->ignored_keys);
    }
    if (status == HF_OK) {
        status = make_sanitizers(config, &rules->sanitizers);
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && status == HF_OK; i++) {
        status = make_list(lists[i].name, lists[i].patterns, lists[i].list, reterr);
    }
    return status;
}

static const char *check(const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    const struct redaction_config *configured = config;
    size_t key_size = configured->hmac_key != NULL ? strlen(configured->hmac_key) : 0;
    if (configured->hash_function == HF_MASK_HMAC_SHA256 && key_size < KEY_MIN_SHA256) {
        return "hmac_key: hmac-sha256 needs at least 32 bytes";
    }
    if (configured->hash_function == HF_MASK_HMAC_SHA512 && key_size < KEY_MIN_SHA512) {
        return "hmac_key: hmac-sha512 needs at least 64 bytes";
    }
    if (configured->masking_string != NULL && configured->masking_string[0] != '\0' &&
        configured->hash_function != HF_MASK_STARS) {
        return "masking_string and hash_function exclude each other";
    }
    struct hf_redact_rules rules = {.allow_all_keys = false};
    snprintf(sentence, sizeof(sentence), "out of memory");
    enum hf_status status = make_rules(configured, &rules, sentence);
    release_rules(&rules);
    return status == HF_OK ? NULL : sentence;
}

static void close_redaction(void *self)
{
    struct redaction *redaction = self;
    release_rules(&redaction->rules);
    free(redaction);
}

/* Has this system the hash? */
static enum hf_status try_hash(const struct hf_redact_rules *rules, char *reterr)
{
    struct hf_bytes text = {0};
    enum hf_status status = hf_mask_put(&rules->mask, hf_slice_text("secret"), &text);
    if (status == HF_OK && rules->mask.kind != HF_MASK_STARS && text.size <= 4) {
        snprintf(reterr, HF_ERROR_MAX,
                 "hash_function: the system's OpenSSL is set up without it; choose another one");
        status = HF_UNSUPPORTED;
    }
    hf_bytes_release(&text);
    return status;
}

static enum hf_status open_redaction(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    struct redaction *redaction = calloc(1, sizeof(*redaction));
    (void)node;
    if (redaction == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = make_rules(config, &redaction->rules, reterr);
    if (status == HF_OK) {
        status = try_hash(&redaction->rules, reterr);
    }
    if (status != HF_OK) {
        close_redaction(redaction);
        return status;
    }
    *ret_self = redaction;
    return HF_OK;
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    const struct redaction *redaction = self;
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_redact(&redaction->rules, document);
    if (status == HF_OK) {
        status = hf_document_batch(document, batch, ret_batch);
    }
    hf_document_return(document);
    return status;
}

#define ENABLED_FIELD                                                                              \
    {                                                                                              \
        .key = "enabled", .type = HF_FIELD_BOOL,                                                   \
        .offset = offsetof(struct sanitizer_config, enabled),                                      \
        .help = "Sanitize the attributes below, and all texts in the bodies of logs."              \
    }
#define ATTRIBUTES_FIELD                                                                           \
    {                                                                                              \
        .key = "attributes", .type = HF_FIELD_STRING_LIST,                                         \
        .offset = offsetof(struct sanitizer_config, attributes),                                   \
        .help = "Attributes that are sanitized."                                                   \
    }

static const struct hf_field url_fields[] = {
    ENABLED_FIELD,
    ATTRIBUTES_FIELD,
    {.key = "sanitize_span_name",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct sanitizer_config, sanitize_span_name),
     .default_text = "true",
     .help = "The names of client and server spans too that are about HTTP."},
    HF_FIELDS_END,
};

static const struct hf_field database_fields[] = {ENABLED_FIELD, ATTRIBUTES_FIELD, HF_FIELDS_END};

/* The Go collector takes attributes for them and makes nothing of it. */
static const struct hf_field search_fields[] = {
    ENABLED_FIELD,
    {.key = "attributes",
     .type = HF_FIELD_IGNORED,
     .help = "For this database names of spans and bodies of logs alone are sanitized."},
    HF_FIELDS_END,
};

#define DB_FIELD(name, fields, does)                                                               \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_STRUCT, .offset = offsetof(struct db_config, name),         \
        .inner = fields, .help = does                                                              \
    }

static const struct hf_field db_fields[] = {
    DB_FIELD(sql, database_fields, "Literals and digits in names become ?."),
    DB_FIELD(redis, database_fields, "Values that commands store or look for become ?."),
    DB_FIELD(valkey, database_fields, "As redis."),
    DB_FIELD(memcached, database_fields, "Commands without the value that is stored."),
    DB_FIELD(mongo, database_fields, "The values of queries in JSON become ?."),
    DB_FIELD(opensearch, search_fields, "As mongo; names of spans and bodies of logs alone."),
    DB_FIELD(es, search_fields, "As opensearch, for Elasticsearch."),
    {.key = "sanitize_span_name",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct db_config, sanitize_span_name),
     .default_text = "true",
     .help = "The names of spans too that have db.system.name or db.system."},
    HF_FIELDS_END,
};

static const char *const hash_functions[] = {
    "", "md5", "sha1", "sha3", "hmac-sha256", "hmac-sha512", NULL};
static const char *const summaries[] = {"silent", "info", "debug", "", NULL};

#define FIELD(name) .key = #name, .offset = offsetof(struct redaction_config, name)

static const struct hf_field fields[] = {
    {FIELD(allow_all_keys), .type = HF_FIELD_BOOL,
     .help = "Remove no attribute for its key; or else all go that are not in allowed_keys."},
    {FIELD(allowed_keys), .type = HF_FIELD_STRING_LIST, .help = "Attributes that stay."},
    {FIELD(ignored_keys), .type = HF_FIELD_STRING_LIST,
     .help = "Attributes that stay as they are, whatever their values."},
    {FIELD(ignored_key_patterns), .type = HF_FIELD_STRING_LIST,
     .help = "Regular expressions for further ones."},
    {FIELD(blocked_key_patterns), .type = HF_FIELD_STRING_LIST,
     .help = "Regular expressions; attributes whose keys match have their values masked."},
    {FIELD(blocked_values), .type = HF_FIELD_STRING_LIST,
     .help = "Regular expressions; the parts of values that match are masked, in order."},
    {FIELD(allowed_values), .type = HF_FIELD_STRING_LIST,
     .help = "Regular expressions; values that match stay, whatever is blocked."},
    {FIELD(redact_all_types), .type = HF_FIELD_BOOL,
     .help = "Look at values that are not texts as well; a masked one becomes a text."},
    {FIELD(hash_function), .type = HF_FIELD_ENUM, .choices = hash_functions,
     .help = "A hash of the masked part stands for it, instead of ****."},
    {FIELD(hmac_key), .type = HF_FIELD_SECRET,
     .help = "The key of hmac-sha256 (32 bytes at least) and hmac-sha512 (64)."},
    {FIELD(masking_string), .type = HF_FIELD_STRING,
     .help = "What stands for the masked part, instead of ****."},
    {FIELD(summary), .type = HF_FIELD_ENUM, .choices = summaries, .default_text = "silent",
     .help = "Attributes that tell what was done: info counts, debug names the keys too."},
    {FIELD(url_sanitizer), .type = HF_FIELD_STRUCT, .inner = url_fields,
     .help = "Paths of URLs with * for their ids, without query and fragment."},
    {FIELD(db_sanitizer), .type = HF_FIELD_STRUCT, .inner = db_fields,
     .help = "Queries to databases without the values in them."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

const struct hf_component hf_processor_redaction = {
    .type = "redaction",
    .help = "Removes attributes that are not allowed and masks values.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct redaction_config),
    .fields = fields,
    .check = check,
    .open = open_redaction,
    .close = close_redaction,
    .processor = &processor_ops,
};
