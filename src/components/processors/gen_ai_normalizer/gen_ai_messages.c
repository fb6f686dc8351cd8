#include "gen_ai_messages.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/json_write.h"
#include "json/json.h"

#define INDEX_DIGITS_MAX 9u
#define ARGUMENTS_BYTES_MAX (16u << 20)

/* In the order in which the fields of a message are sorted. */
enum field {
    ROLE = 0,
    NAME,
    CONTENT,
    TOOL_CALL_ID,
    UNKNOWN, /* no part is made of it */
    CALL_ID,
    CALL_NAME,
    CALL_ARGUMENTS,
    CALL_UNKNOWN,
    CONTENTS_TYPE,
    CONTENTS_TEXT,
    CONTENTS_UNKNOWN,
};

/* The fields that a message's parts are made of: the first of these that there are. */
enum parts { NO_PARTS = 0, TOOL_RESPONSE, TOOL_CALLS, ONE_CONTENT, SEVERAL_CONTENTS };

struct item {
    uint32_t message, part; /* `part`: of tool calls and contents */
    enum field field;
    struct hf_slice key, text;
};

struct message {
    const struct item *items;
    size_t count;
    struct hf_slice role, name, content, tool_call_id;
    enum parts parts;
    bool has_calls;
};

static const struct field_name {
    const char *text;
    enum field field;
} message_fields[] = {{"role", ROLE},
                      {"name", NAME},
                      {"content", CONTENT},
                      {"tool_call_id", TOOL_CALL_ID},
                      {NULL, UNKNOWN}},
  call_fields[] = {{"id", CALL_ID},
                   {"function.name", CALL_NAME},
                   {"function.arguments", CALL_ARGUMENTS},
                   {NULL, CALL_UNKNOWN}},
  contents_fields[] = {{"type", CONTENTS_TYPE}, {"text", CONTENTS_TEXT}, {NULL, CONTENTS_UNKNOWN}};

/* ---- reading keys ---- */

static bool skip(struct hf_slice *rest, const char *text)
{
    size_t size = strlen(text);
    if (rest->size < size || memcmp(rest->data, text, size) != 0) {
        return false;
    }
    *rest = hf_slice_of(rest->data + size, rest->size - size);
    return true;
}

/* "12." */
static bool skip_index(struct hf_slice *rest, uint32_t *ret_index)
{
    size_t digits = 0;
    uint32_t index = 0;
    while (digits < rest->size && digits < INDEX_DIGITS_MAX && rest->data[digits] >= '0' &&
           rest->data[digits] <= '9') {
        index = index * 10 + (uint32_t)(rest->data[digits++] - '0');
    }
    *rest = hf_slice_of(rest->data + digits, rest->size - digits);
    *ret_index = index;
    return digits > 0 && skip(rest, ".");
}

static enum field find_field(const struct field_name *names, struct hf_slice text)
{
    while (names->text != NULL && !hf_slice_is(text, names->text)) {
        names++;
    }
    return names->field;
}

/* False: the attribute is no field of such a message. */
static bool read_key(struct hf_slice key, const char *prefix, struct item *ret_item)
{
    struct hf_slice rest = key;
    *ret_item = (struct item){.key = key};
    if (!skip(&rest, prefix) || !skip_index(&rest, &ret_item->message) ||
        !skip(&rest, "message.") || rest.size == 0) {
        return false;
    }
    struct hf_slice inner = rest;
    if (skip(&inner, "tool_calls.") && skip_index(&inner, &ret_item->part) &&
        skip(&inner, "tool_call.")) {
        ret_item->field = find_field(call_fields, inner);
        return true;
    }
    inner = rest;
    if (skip(&inner, "contents.") && skip_index(&inner, &ret_item->part) &&
        skip(&inner, "message_content.")) {
        ret_item->field = find_field(contents_fields, inner);
        return true;
    }
    ret_item->part = 0;
    ret_item->field = find_field(message_fields, rest);
    return true;
}

enum kind { OF_MESSAGE = 0, OF_CALL, OF_CONTENTS };

static enum kind kind_of(const struct item *item)
{
    return item->field >= CONTENTS_TYPE ? OF_CONTENTS
           : item->field >= CALL_ID     ? OF_CALL
                                        : OF_MESSAGE;
}

/* Message by message; in each its own fields, then tool call by tool call, content by content. */
static int compare(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    if (a->message != b->message) {
        return a->message < b->message ? -1 : 1;
    }
    if (kind_of(a) != kind_of(b)) {
        return (int)kind_of(a) - (int)kind_of(b);
    }
    if (a->part != b->part) {
        return a->part < b->part ? -1 : 1;
    }
    return (int)a->field - (int)b->field;
}

/* ---- one message ---- */

/* The items of one part: from `at` on. */
static size_t part_size(const struct message *message, size_t at)
{
    size_t end = at + 1;
    while (end < message->count && message->items[end].part == message->items[at].part &&
           kind_of(&message->items[end]) == kind_of(&message->items[at])) {
        end++;
    }
    return end - at;
}

static struct hf_slice text_in(const struct item *items, size_t count, enum field field)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].field == field) {
            return items[i].text;
        }
    }
    return HF_EMPTY_SLICE;
}

/* One without a type is text as well: not everyone writes it. */
static bool is_text(const struct item *items, size_t count)
{
    struct hf_slice type = text_in(items, count, CONTENTS_TYPE);
    return text_in(items, count, CONTENTS_TEXT).size > 0 &&
           (type.size == 0 || hf_slice_is(type, "text"));
}

static struct message read_message(const struct item *items, size_t count)
{
    struct message message = {.items = items,
                              .count = count,
                              .role = text_in(items, count, ROLE),
                              .name = text_in(items, count, NAME),
                              .content = text_in(items, count, CONTENT),
                              .tool_call_id = text_in(items, count, TOOL_CALL_ID)};
    bool has_text = false;
    for (size_t i = 0; i < count; i++) {
        message.has_calls |= kind_of(&items[i]) == OF_CALL;
    }
    for (size_t i = 0; i < count; i += part_size(&message, i)) {
        has_text |= kind_of(&items[i]) == OF_CONTENTS && is_text(items + i, part_size(&message, i));
    }
    message.parts = message.tool_call_id.size > 0 ? TOOL_RESPONSE
                    : message.has_calls           ? TOOL_CALLS
                    : message.content.size > 0    ? ONE_CONTENT
                    : has_text                    ? SEVERAL_CONTENTS
                                                  : NO_PARTS;
    return message;
}

/* An answer of a model is never the response of a tool. */
static struct hf_slice role_of(const struct message *message, bool is_output)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    size_t known = is_output ? 3 : 4;
    if (message->tool_call_id.size > 0 && !is_output) {
        return hf_slice_text("tool");
    }
    for (size_t i = 0; i < known; i++) {
        if (hf_slice_is(message->role, roles[i])) {
            return message->role;
        }
    }
    return hf_slice_text(message->has_calls ? "assistant" : "user");
}

/* JSON as it is, another text as text; null is left out. */
static void write_arguments(struct gen_ai_run *run, struct hf_json_writer *writer,
                            struct hf_slice text)
{
    struct hf_arena arena = {.limit = ARGUMENTS_BYTES_MAX};
    const struct hf_json *value = NULL;
    char error[HF_JSON_ERROR_MAX];
    enum hf_status status = text.size > 0 ? hf_json_read(text, &arena, &value, error) : HF_INVALID;
    bool is_null = status == HF_OK && value->kind == HF_JSON_NULL;
    run->status = status == HF_NOMEM ? HF_NOMEM : run->status;
    hf_arena_release(&arena);
    if (text.size == 0 || is_null) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "arguments");
    if (status == HF_OK) {
        hf_json_write_made(writer, text);
    } else {
        hf_json_write_text(writer, text);
    }
}

static void open_part(struct hf_json_writer *writer, const char *type)
{
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "type");
    hf_json_write_text(writer, hf_slice_text(type));
}

static void write_id(struct hf_json_writer *writer, struct hf_slice id)
{
    if (id.size > 0) {
        HF_JSON_WRITE_KEY(writer, "id");
        hf_json_write_text(writer, id);
    }
}

static void write_text_part(struct hf_json_writer *writer, struct hf_slice text)
{
    open_part(writer, "text");
    HF_JSON_WRITE_KEY(writer, "content");
    hf_json_write_text(writer, text);
    hf_json_write_close(writer, '}');
}

static void write_call(struct gen_ai_run *run, struct hf_json_writer *writer,
                       const struct item *items, size_t count)
{
    open_part(writer, "tool_call");
    write_id(writer, text_in(items, count, CALL_ID));
    HF_JSON_WRITE_KEY(writer, "name");
    hf_json_write_text(writer, text_in(items, count, CALL_NAME));
    write_arguments(run, writer, text_in(items, count, CALL_ARGUMENTS));
    hf_json_write_close(writer, '}');
}

static void write_parts(struct gen_ai_run *run, struct hf_json_writer *writer,
                        const struct message *message)
{
    if (message->parts == TOOL_RESPONSE) {
        open_part(writer, "tool_call_response");
        write_id(writer, message->tool_call_id);
        HF_JSON_WRITE_KEY(writer, "response");
        hf_json_write_text(writer, message->content);
        hf_json_write_close(writer, '}');
    } else if (message->parts == ONE_CONTENT) {
        write_text_part(writer, message->content);
    }
    for (size_t i = 0, size; i < message->count; i += size) {
        const struct item *items = message->items + i;
        size = part_size(message, i);
        if (message->parts == TOOL_CALLS && kind_of(items) == OF_CALL) {
            write_call(run, writer, items, size);
        } else if (message->parts == SEVERAL_CONTENTS && kind_of(items) == OF_CONTENTS &&
                   is_text(items, size)) {
            write_text_part(writer, text_in(items, size, CONTENTS_TEXT));
        }
    }
}

static void write_message(struct gen_ai_run *run, struct hf_json_writer *writer,
                          const struct message *message, bool is_output)
{
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "role");
    hf_json_write_text(writer, role_of(message, is_output));
    if (message->name.size > 0) {
        HF_JSON_WRITE_KEY(writer, "name");
        hf_json_write_text(writer, message->name);
    }
    HF_JSON_WRITE_KEY(writer, "parts");
    hf_json_write_open(writer, '[');
    write_parts(run, writer, message);
    hf_json_write_close(writer, ']');
    if (is_output) {
        /* The conventions require it; OpenInference does not tell it. */
        HF_JSON_WRITE_KEY(writer, "finish_reason");
        hf_json_write_text(writer, HF_EMPTY_SLICE);
    }
    hf_json_write_close(writer, '}');
}

/* ---- all of them ---- */

/* Only what stands in the written message may go. */
static bool is_written(const struct message *message, size_t at)
{
    switch (message->items[at].field) {
    case ROLE:
    case NAME:
        return true;
    case CONTENT:
        return message->parts == ONE_CONTENT || message->parts == TOOL_RESPONSE;
    case TOOL_CALL_ID:
        return message->parts == TOOL_RESPONSE;
    case CALL_ID:
    case CALL_NAME:
    case CALL_ARGUMENTS:
        return message->parts == TOOL_CALLS;
    case CONTENTS_TYPE:
    case CONTENTS_TEXT: {
        size_t start = at;
        while (start > 0 && message->items[start - 1].part == message->items[at].part &&
               kind_of(&message->items[start - 1]) == OF_CONTENTS) {
            start--;
        }
        return message->parts == SEVERAL_CONTENTS &&
               is_text(message->items + start, part_size(message, start));
    }
    default:
        return false;
    }
}

static struct item *read_items(struct gen_ai_run *run, const struct hf_attributes *attributes,
                               const char *prefix, size_t *ret_count)
{
    struct item item, *items = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < attributes->count; i++) {
        if (!read_key(attributes->items[i].key, prefix, &item)) {
            continue;
        }
        if (items == NULL) {
            items = hf_arena_take(hf_document_arena(run->document),
                                  (attributes->count - i) * sizeof(*items));
        }
        if (items == NULL) {
            run->status = HF_NOMEM;
            return NULL;
        }
        item.text = gen_ai_text(run, attributes->items[i].value);
        items[(*ret_count)++] = item;
    }
    if (*ret_count > 1) {
        qsort(items, *ret_count, sizeof(*items), compare);
    }
    return items;
}

static bool join(struct gen_ai_run *run, const struct gen_ai_rules *rules, bool is_output,
                 struct hf_attributes *attributes)
{
    const char *prefix = is_output ? "llm.output_messages." : "llm.input_messages.";
    struct hf_slice target =
        hf_slice_text(is_output ? GEN_AI_OUTPUT_MESSAGES : GEN_AI_INPUT_MESSAGES);
    size_t count = 0;
    if (!rules->overwrites && hf_attributes_find(attributes, target) != NULL) {
        return false;
    }
    struct item *items = read_items(run, attributes, prefix, &count);
    if (count == 0) {
        return false;
    }
    run->text.size = 0;
    struct hf_json_writer writer = {.out = &run->text};
    hf_json_write_open(&writer, '[');
    for (size_t i = 0, size; i < count; i += size) {
        for (size = 1; i + size < count && items[i + size].message == items[i].message;) {
            size++;
        }
        struct message message = read_message(items + i, size);
        write_message(run, &writer, &message, is_output);
        for (size_t j = 0; rules->removes && j < size; j++) {
            if (is_written(&message, j)) {
                hf_attributes_remove(attributes, items[i + j].key);
            }
        }
    }
    hf_json_write_close(&writer, ']');
    if (hf_json_write_status(&writer) != HF_OK) {
        run->status = HF_NOMEM;
    }
    struct hf_slice text = hf_slice_of(run->text.data, run->text.size);
    hf_attributes_set(attributes, target, hf_any_make_string(&run->maker, text));
    return true;
}

bool gen_ai_join_messages(struct gen_ai_run *run, const struct gen_ai_rules *rules,
                          struct hf_attributes *attributes)
{
    bool has_input = join(run, rules, false, attributes);
    return join(run, rules, true, attributes) || has_input;
}
