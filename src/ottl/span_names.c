/* The editor that names spans after what the semantic conventions say they are. */
#include <stdio.h>

#include "function.h"
#include "pdata/attributes.h"
#include "pdata/document.h"
#include "pdata/message.h"

enum { SPAN_NAME = 5, SPAN_KIND = 6, SPAN_ATTRIBUTES = 9 };
enum { KIND_SERVER = 2, KIND_CLIENT = 3, KIND_PRODUCER = 4, KIND_CONSUMER = 5 };

struct naming {
    struct hf_ottl_run *run;
    const struct hf_attributes *attributes;
};

/* The text of the attribute of that name, or of the older one. False: neither is there. */
static bool text_of(const struct naming *naming, const char *key, const char *older,
                    struct hf_slice *ret_text)
{
    const struct hf_attribute *found = hf_attributes_find(naming->attributes, hf_slice_text(key));
    if (found == NULL && older != NULL) {
        found = hf_attributes_find(naming->attributes, hf_slice_text(older));
    }
    if (found == NULL) {
        *ret_text = HF_EMPTY_SLICE;
        return false;
    }
    struct hf_any any = hf_any_read(found->value);
    struct hf_ottl_value value = hf_ottl_from_any(&any);
    *ret_text = HF_EMPTY_SLICE;
    if (value.type == HF_OTTL_STRING) {
        *ret_text = value.bytes;
    } else if (value.type != HF_OTTL_NIL) {
        hf_ottl_start_text(naming->run);
        naming->run->no_memory |= hf_any_text(found->value, &naming->run->text) != HF_OK;
        *ret_text =
            hf_ottl_keep(naming->run, hf_slice_of(naming->run->text.data, naming->run->text.size));
    }
    return true;
}

static bool is_true(const struct naming *naming, const char *key)
{
    const struct hf_attribute *found = hf_attributes_find(naming->attributes, hf_slice_text(key));
    struct hf_any any =
        found != NULL ? hf_any_read(found->value) : (struct hf_any){.type = HF_ANY_EMPTY};
    return any.type == HF_ANY_BOOL && any.integer != 0;
}

static struct hf_slice join(const struct naming *naming, struct hf_slice a, const char *between,
                            struct hf_slice b)
{
    hf_ottl_start_text(naming->run);
    hf_ottl_add_text(naming->run, a);
    hf_ottl_add_text(naming->run, hf_slice_text(between));
    hf_ottl_add_text(naming->run, b);
    return hf_ottl_keep(naming->run, hf_slice_of(naming->run->text.data, naming->run->text.size));
}

/* ---- names by what the span is about; empty: it is about something else ---- */

static struct hf_slice http_name(const struct naming *naming, const char *target)
{
    struct hf_slice method, path;
    if (!text_of(naming, "http.request.method", "http.method", &method)) {
        return HF_EMPTY_SLICE;
    }
    return text_of(naming, target, NULL, &path) ? join(naming, method, " ", path) : method;
}

static struct hf_slice rpc_name(const struct naming *naming)
{
    struct hf_slice system, method, service;
    if (!text_of(naming, "rpc.system.name", "rpc.system", &system)) {
        return HF_EMPTY_SLICE;
    }
    bool has_method = text_of(naming, "rpc.method", "rpc.grpc.method", &method);
    bool has_service = text_of(naming, "rpc.service", "rpc.grpc.service", &service);
    if (has_service) {
        return join(naming, service, "/", has_method ? method : hf_slice_text("*"));
    }
    return has_method ? method : system;
}

static struct hf_slice server_address(const struct naming *naming)
{
    struct hf_slice address, port;
    if (!text_of(naming, "server.address", NULL, &address)) {
        return HF_EMPTY_SLICE;
    }
    return text_of(naming, "server.port", NULL, &port) ? join(naming, address, ":", port) : address;
}

static struct hf_slice database_target(const struct naming *naming)
{
    struct hf_slice space, part;
    (void)text_of(naming, "db.namespace", "db.name", &space);
    if (text_of(naming, "db.collection.name", NULL, &part) ||
        text_of(naming, "db.stored_procedure.name", NULL, &part)) {
        return space.size > 0 ? join(naming, space, ".", part) : part;
    }
    return space.size > 0 ? space : server_address(naming);
}

static struct hf_slice database_name(const struct naming *naming)
{
    struct hf_slice system, summary, operation;
    if (!text_of(naming, "db.system.name", "db.system", &system)) {
        return HF_EMPTY_SLICE;
    }
    if (text_of(naming, "db.query.summary", NULL, &summary)) {
        return summary;
    }
    (void)text_of(naming, "db.operation.name", "db.operation", &operation);
    struct hf_slice target = database_target(naming);
    if (operation.size > 0 && target.size > 0) {
        return join(naming, operation, " ", target);
    }
    return operation.size > 0 ? operation : target.size > 0 ? target : system;
}

static struct hf_slice destination(const struct naming *naming)
{
    struct hf_slice name;
    if (is_true(naming, "messaging.destination.temporary")) {
        return hf_slice_text("(temporary)");
    }
    if (is_true(naming, "messaging.destination.anonymous")) {
        return hf_slice_text("(anonymous)");
    }
    return text_of(naming, "messaging.destination.template", NULL, &name) ||
                   text_of(naming, "messaging.destination.name", "messaging.destination", &name)
               ? name
               : server_address(naming);
}

static struct hf_slice messaging_name(const struct naming *naming)
{
    struct hf_slice system, operation;
    if (!text_of(naming, "messaging.system", NULL, &system)) {
        return HF_EMPTY_SLICE;
    }
    bool has_operation =
        text_of(naming, "messaging.operation.name", "messaging.operation", &operation);
    struct hf_slice where = destination(naming);
    if (where.size > 0) {
        return has_operation ? join(naming, operation, " ", where) : where;
    }
    return has_operation ? operation : system;
}

/* ---- the span ---- */

static struct hf_slice name_of(const struct naming *naming, int64_t kind)
{
    struct hf_slice name = HF_EMPTY_SLICE;
    if (kind == KIND_SERVER || kind == KIND_CLIENT) {
        name = http_name(naming, kind == KIND_SERVER ? "http.route" : "url.template");
        name = name.size > 0 ? name : rpc_name(naming);
    }
    if (name.size == 0 && kind == KIND_CLIENT) {
        name = database_name(naming);
    }
    if (name.size == 0 && kind >= KIND_SERVER && kind <= KIND_CONSUMER) {
        name = messaging_name(naming);
    }
    return name;
}

static bool set_name(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_message *span = run->place->item;
    struct hf_attributes *attributes = hf_message_attributes(span, SPAN_ATTRIBUTES);
    struct naming naming = {.run = run, .attributes = attributes};
    (void)arguments;
    (void)ret_value;
    if (attributes == NULL) {
        return hf_ottl_no_memory(run);
    }
    struct hf_slice name = name_of(&naming, hf_message_i64(span, SPAN_KIND));
    struct hf_slice original = hf_message_bytes(span, SPAN_NAME);
    if (run->no_memory) {
        return hf_ottl_no_memory(run);
    }
    if (name.size == 0 || hf_slice_equal(name, original)) {
        return true;
    }
    if (call->nodes[1] != NULL) {
        struct hf_slice key = hf_ottl_literal_text(call, 1, "");
        hf_attributes_set(attributes, key, hf_attributes_string(attributes, original));
        if (attributes->failed) {
            return hf_ottl_no_memory(run);
        }
    }
    hf_message_set_bytes(span, SPAN_NAME, name);
    return true;
}

/* Versions of the conventions that name spans as it is done here. */
#define OLDEST_MINOR 37
#define NEWEST_MINOR 43

static enum hf_status check_version(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                    size_t at)
{
    char text[32];
    int major = 0, minor = 0, patch = 0, size = 0;
    struct hf_slice version = hf_ottl_literal_text(call, 0, "");
    snprintf(text, sizeof(text), "%.*s", (int)(version.size < 30 ? version.size : 30),
             (const char *)version.data);
    const char *digits = text[0] == 'v' ? text + 1 : text;
    int read = sscanf(digits, "%3d.%3d.%3d%n", &major, &minor, &patch, &size);
    bool is_version = (read == 3 && digits[size] == '\0') ||
                      (read == 2 && sscanf(digits, "%3d.%3d%n", &major, &minor, &size) == 2 &&
                       digits[size] == '\0');
    if (!is_version || major != 1 || minor < OLDEST_MINOR || minor > NEWEST_MINOR ||
        (minor == NEWEST_MINOR && patch > 0)) {
        return hf_ottl_refuse(fault, at,
                              "unsupported semconv version \"%s\": must be between 1.%d.0 and "
                              "1.%d.0",
                              text, OLDEST_MINOR, NEWEST_MINOR);
    }
    return call->nodes[1] == NULL || hf_ottl_literal_text(call, 1, "").size > 0
               ? HF_OK
               : hf_ottl_refuse(fault, at, "the attribute for the original name cannot be empty");
}

const struct hf_ottl_function hf_ottl_span_names[] = {
    {.name = "set_semconv_span_name",
     .arguments = {{"semconv_version", HF_ARG_STRING | HF_ARG_LITERAL},
                   {"original_span_name_attribute",
                    HF_ARG_STRING | HF_ARG_LITERAL | HF_ARG_OPTIONAL}},
     .run = set_name,
     .check = check_version,
     .contexts = 1u << HF_PATH_SPAN,
     .functions = HF_OTTL_EDITORS},
    {.name = NULL},
};
