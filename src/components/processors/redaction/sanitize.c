#include "sanitize.h"

#include <ctype.h>
#include <strings.h>

#include "json_query.h"
#include "pdata/any.h"
#include "redis_command.h"
#include "support/scrape/sql_mask.h"
#include "url_words.h"

enum { SPAN_NAME = 5, SPAN_KIND = 6, SPAN_ATTRIBUTES = 9 };
enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3 };

/* ---- databases ---- */

static const struct {
    const char *system;
    enum hf_database database;
} systems[] = {
    {"other_sql", HF_DATABASE_SQL},    {"mysql", HF_DATABASE_SQL},
    {"postgresql", HF_DATABASE_SQL},   {"mariadb", HF_DATABASE_SQL},
    {"sqlite", HF_DATABASE_SQL},       {"redis", HF_DATABASE_REDIS},
    {"valkey", HF_DATABASE_VALKEY},    {"memcached", HF_DATABASE_MEMCACHED},
    {"mongodb", HF_DATABASE_MONGO},    {"opensearch", HF_DATABASE_OPENSEARCH},
    {"elasticsearch", HF_DATABASE_ES},
};

static bool is_name(struct hf_slice text, const char *name)
{
    return text.size == strlen(name) && strncasecmp((const char *)text.data, name, text.size) == 0;
}

static enum hf_database database_of(struct hf_slice system)
{
    for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
        if (is_name(system, systems[i].system)) {
            return systems[i].database;
        }
    }
    return HF_DATABASE_COUNT;
}

static struct hf_slice text_of(const struct hf_attributes *attributes, const char *key)
{
    const struct hf_attribute *found = hf_attributes_find(attributes, hf_slice_text(key));
    struct hf_any any =
        found != NULL ? hf_any_read(found->value) : (struct hf_any){.type = HF_ANY_EMPTY};
    return any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
}

struct hf_slice hf_sanitize_system(const struct hf_attributes *attributes)
{
    struct hf_slice system = text_of(attributes, "db.system.name");
    return system.size > 0 ? system : text_of(attributes, "db.system");
}

/* The command alone: the value that is stored stands on the next line. */
static enum hf_status mask_memcached(struct hf_slice text, struct hf_bytes *out)
{
    const uint8_t *end = text.size > 0 ? memmem(text.data, text.size, "\r\n", 2) : NULL;
    size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
    size_t start = 0;
    while (start < size && isspace(text.data[start])) {
        start++;
    }
    while (size > start && isspace(text.data[size - 1])) {
        size--;
    }
    return hf_bytes_append(out, hf_slice_of(text.data + start, size - start));
}

/* HF_INVALID: it is not what such a database is asked. */
static enum hf_status mask(enum hf_database database, struct hf_slice system, struct hf_slice text,
                           struct hf_bytes *out)
{
    switch (database) {
    case HF_DATABASE_SQL:
        return hf_sql_mask(text, is_name(system, "mysql") ? HF_SQL_MYSQL : 0, out);
    case HF_DATABASE_REDIS:
    case HF_DATABASE_VALKEY:
        return hf_redis_mask(text, out);
    case HF_DATABASE_MEMCACHED:
        return mask_memcached(text, out);
    default:
        return hf_json_query_mask(text, out);
    }
}

/* ---- one after the other ---- */

/* A text on its way: it is in `now`, and the next step writes to `next`. */
struct way {
    struct hf_slice text;
    struct hf_bytes *now, *next;
    enum hf_status status;
};

static void finish_step(struct way *way, enum hf_status status)
{
    if (status == HF_INVALID) {
        return; /* it stays as it is */
    }
    way->status = status;
    struct hf_bytes *spare = way->now;
    way->now = way->next;
    way->next = spare;
    way->text = hf_slice_of(way->now->data, way->now->size);
}

static void step_url(struct way *way)
{
    way->next->size = 0;
    finish_step(way, hf_url_mask(way->text, way->next));
}

static void step_database(struct way *way, enum hf_database database, struct hf_slice system)
{
    if (way->status == HF_OK) {
        way->next->size = 0;
        finish_step(way, mask(database, system, way->text, way->next));
    }
}

/* What has come of it is in `out`. */
static enum hf_status end_way(struct way *way, struct hf_slice before, struct hf_bytes *out)
{
    if (way->status != HF_OK) {
        return way->status;
    }
    if (hf_slice_equal(way->text, before)) {
        return HF_NOT_FOUND;
    }
    if (way->now == out) {
        return HF_OK;
    }
    out->size = 0;
    return hf_bytes_append(out, way->text);
}

enum hf_status hf_sanitize_attribute(const struct hf_sanitizers *sanitizers, struct hf_slice key,
                                     struct hf_slice text, struct hf_slice system, bool tries_all,
                                     struct hf_bytes *scratch, struct hf_bytes *out)
{
    struct way way = {.text = text, .now = scratch, .next = out};
    if (sanitizers->of_urls && text.size > 0 && hf_key_is_in(&sanitizers->url_attributes, key)) {
        step_url(&way);
    }
    enum hf_database only = system.size > 0 ? database_of(system) : HF_DATABASE_COUNT;
    for (int i = 0; i < HF_DATABASE_COUNT; i++) {
        bool is_meant = system.size > 0 ? (int)only == i : tries_all;
        if (is_meant && sanitizers->databases[i].enabled &&
            hf_key_is_in(&sanitizers->databases[i].attributes, key)) {
            step_database(&way, (enum hf_database)i, HF_EMPTY_SLICE);
        }
    }
    return end_way(&way, text, out);
}

enum hf_status hf_sanitize_body(const struct hf_sanitizers *sanitizers, struct hf_slice text,
                                struct hf_bytes *scratch, struct hf_bytes *out)
{
    struct way way = {.text = text, .now = scratch, .next = out};
    if (sanitizers->of_urls && text.size > 0) {
        step_url(&way);
    }
    for (int i = 0; i < HF_DATABASE_COUNT; i++) {
        if (sanitizers->databases[i].enabled) {
            step_database(&way, (enum hf_database)i, HF_EMPTY_SLICE);
        }
    }
    return end_way(&way, text, out);
}

/* ---- names of spans ---- */

static bool is_about_http(const struct hf_attributes *attributes, struct hf_slice name)
{
    static const char *const keys[] = {"http.route",
                                       "http.request.method",
                                       "http.request.method_original",
                                       "url.full",
                                       "http.response.status_code",
                                       "http.scheme",
                                       "http.target",
                                       "http.method",
                                       "http.url"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (hf_attributes_find(attributes, hf_slice_text(keys[i])) != NULL) {
            return true;
        }
    }
    return memchr(name.data, '/', name.size) != NULL;
}

/* Nothing is left but stars: then the name stays. */
static bool is_all_stars(struct hf_slice text)
{
    bool has_star = false;
    for (size_t i = 0; i < text.size; i++) {
        bool is_alone =
            (i == 0 || text.data[i - 1] == '/') && (i + 1 == text.size || text.data[i + 1] == '/');
        if (text.data[i] != '/' && (text.data[i] != '*' || !is_alone)) {
            return false;
        }
        has_star |= text.data[i] == '*';
    }
    return has_star;
}

/* HF_NOT_FOUND: the name is none of a URL, or has no id in it. */
static enum hf_status url_name(struct hf_slice name, struct hf_bytes *out)
{
    out->size = 0;
    enum hf_status status = hf_url_mask(name, out);
    struct hf_slice made = hf_slice_of(out->data, out->size);
    bool stays = hf_slice_equal(made, name) || is_all_stars(made) || made.size == 0;
    return status == HF_OK && stays ? HF_NOT_FOUND : status;
}

static enum hf_status database_name(const struct hf_sanitizers *sanitizers,
                                    const struct hf_attributes *attributes, struct hf_slice name,
                                    struct hf_bytes *out)
{
    struct hf_slice system = hf_sanitize_system(attributes);
    enum hf_database database = database_of(system);
    if (database == HF_DATABASE_COUNT || !sanitizers->databases[database].enabled) {
        return HF_NOT_FOUND;
    }
    out->size = 0;
    enum hf_status status = mask(database, system, name, out);
    struct hf_slice made = hf_slice_of(out->data, out->size);
    bool stays = status == HF_INVALID || made.size == 0 || hf_slice_equal(made, name) ||
                 hf_slice_is(made, "...");
    return status != HF_NOMEM && stays ? HF_NOT_FOUND : status;
}

enum hf_status hf_sanitize_span_name(const struct hf_sanitizers *sanitizers,
                                     struct hf_message *span, struct hf_bytes *out)
{
    int64_t kind = hf_message_i64(span, SPAN_KIND);
    struct hf_slice name = hf_message_bytes(span, SPAN_NAME);
    enum hf_status status = HF_NOT_FOUND;
    if (kind < KIND_INTERNAL || kind > KIND_CLIENT || name.size == 0) {
        return HF_NOT_FOUND;
    }
    const struct hf_attributes *attributes = hf_message_attributes(span, SPAN_ATTRIBUTES);
    if (attributes == NULL) {
        return HF_NOMEM;
    }
    if (sanitizers->of_urls && sanitizers->of_url_span_names && kind != KIND_INTERNAL &&
        is_about_http(attributes, name)) {
        status = url_name(name, out);
    }
    if (status == HF_NOT_FOUND && sanitizers->has_database && sanitizers->of_database_span_names) {
        status = database_name(sanitizers, attributes, name, out);
    }
    return status;
}
