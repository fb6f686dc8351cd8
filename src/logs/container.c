/*
 * container: lines of containers as Docker, CRI-O and containerd write them, with partial lines
 * joined and the pod told by the path of the file.
 */
#include <stdlib.h>

#include "expr/value_json.h"
#include "joined.h"
#include "operator.h"
#include "util/time/clock.h"
#include "util/time/time_layout.h"

enum format { DETECT = 0, DOCKER, CRIO, CONTAINERD };

#define PATH_BYTES_MAX 4096u
#define TOLD_COUNT 5u
#define FLUSH_NS (5 * HF_NS_PER_S)

struct container_state {
    enum format format;
    bool adds_metadata;
    size_t bytes_max;
    struct joined_list list; /* of partial lines */
    /* The path that was read last, and what it told: mostly the next line has the same. */
    uint8_t path[PATH_BYTES_MAX];
    size_t path_size;
    struct hf_slice told[TOLD_COUNT];
};

static const struct hf_slice path_key = {(const uint8_t *)"log.file.path", 13};

static enum hf_status open_container(struct operator* operator, const struct hf_value * config,
                                     char *reterr)
{
    static const char *const names[] = {"", "docker", "crio", "containerd"};
    struct container_state *state = operator->state;
    const char *format = text_of(config, "format", "");
    state->adds_metadata = bool_of(config, "add_metadata_from_filepath", true);
    state->bytes_max = (size_t)int_of(config, "max_log_size", 1 << 20);
    for (int i = 0; i < 4; i++) {
        if (strcmp(names[i], format) == 0) {
            state->format = (enum format)i;
            return HF_OK;
        }
    }
    return invalid(reterr, "format: docker, crio or containerd");
}

static void close_container(struct operator* operator)
{
    joined_clear(&((struct container_state *)operator->state)->list);
}

/* ---- the pod, by the path ---- */

/* The part of the path that ends before `*end`; `*end` moves to the slash in front of it. */
static struct hf_slice part_before(struct hf_slice path, size_t *end)
{
    size_t from = *end;
    while (from != 0 && path.data[from - 1] != '/') {
        from--;
    }
    struct hf_slice part = hf_slice_of(path.data + from, *end - from);
    *end = from != 0 ? from - 1 : 0;
    return part;
}

static bool has_only(struct hf_slice text, const char *set)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\0' || strchr(set, text.data[i]) == NULL) {
            return false;
        }
    }
    return text.size != 0;
}

/* "NAMESPACE_POD_UID/CONTAINER/N.log" at its end, also with the time of a rotation. */
static bool read_path(struct hf_slice path, struct hf_slice *ret)
{
    size_t end = path.size;
    struct hf_slice file = part_before(path, &end);
    struct hf_slice container = part_before(path, &end);
    struct hf_slice pod = part_before(path, &end);
    const uint8_t *dot = file.size != 0 ? memmem(file.data, file.size, ".log", 4) : NULL;
    const uint8_t *first = pod.size != 0 ? memchr(pod.data, '_', pod.size) : NULL;
    const uint8_t *last = pod.size != 0 ? memrchr(pod.data, '_', pod.size) : NULL;
    if (dot == NULL || dot == file.data || first == last || container.size == 0) {
        return false;
    }
    struct hf_slice uid = hf_slice_of(last + 1, pod.size - (size_t)(last - pod.data) - 1);
    if (!has_only(hf_slice_of(file.data, (size_t)(dot - file.data)), "0123456789") ||
        !has_only(uid, "0123456789abcdef-") ||
        memchr(container.data, '_', container.size) != NULL ||
        memchr(container.data, '.', container.size) != NULL) {
        return false;
    }
    ret[0] = hf_slice_of(pod.data, (size_t)(first - pod.data));
    ret[1] = hf_slice_of(first + 1, (size_t)(last - first - 1));
    ret[2] = uid;
    ret[3] = container;
    ret[4] = hf_slice_of(file.data, (size_t)(dot - file.data));
    return true;
}

/* What the path tells, in state->told. */
static bool read_path_once(struct container_state *state, struct hf_slice path)
{
    if (hf_slice_equal(path, hf_slice_of(state->path, state->path_size))) {
        return true;
    }
    state->path_size = 0;
    if (path.size > PATH_BYTES_MAX) {
        return false;
    }
    memcpy(state->path, path.data, path.size);
    if (!read_path(hf_slice_of(state->path, path.size), state->told)) {
        return false;
    }
    state->path_size = path.size;
    return true;
}

static bool add_metadata(struct run *run, struct hf_log_entry *entry)
{
    static const struct {
        const char *name;
        size_t size;
    } keys_of_told[TOLD_COUNT] = {
#define KEY(text) {text, sizeof(text) - 1}
        KEY("k8s.namespace.name"), KEY("k8s.pod.name"), KEY("k8s.pod.uid"),
        KEY("k8s.container.name"), KEY("k8s.container.restart_count")
#undef KEY
    };
    struct container_state *state = run->operator->state;
    const struct hf_expr_pair *path = hf_expr_map_find(entry->attributes.map, path_key);
    if (!state->adds_metadata) {
        return true;
    }
    if (path == NULL || path->value.type != HF_EXPR_STRING) {
        operator_failed(run, "there is no attribute log.file.path; set include_file_path: true");
        return false;
    }
    if (path->value.text.size == 0 || !read_path_once(state, path->value.text)) {
        operator_failed(run, "the path of the file does not tell the pod");
        return false;
    }
    bool is_fresh = entry->resource.map->count == 0;
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < TOLD_COUNT && status == HF_OK; i++) {
        struct hf_slice key = hf_slice_of(keys_of_told[i].name, keys_of_told[i].size);
        struct hf_expr_value value = hf_expr_string(state->told[i]);
        status = is_fresh ? hf_expr_map_add(entry->arena, entry->resource.map, key, value)
                          : hf_expr_map_set(entry->arena, entry->resource.map, key, value);
    }
    if (status != HF_OK) {
        operator_failed(run, "out of memory");
    }
    return status == HF_OK;
}

/* ---- lines ---- */

struct cri_line {
    struct hf_slice time, stream, tag, text;
};

static bool take_word(struct hf_slice *text, struct hf_slice *ret)
{
    const uint8_t *space = text->size != 0 ? memchr(text->data, ' ', text->size) : NULL;
    if (space == NULL || space == text->data) {
        return false;
    }
    size_t size = (size_t)(space - text->data);
    *ret = hf_slice_of(text->data, size);
    *text = hf_slice_of(space + 1, text->size - size - 1);
    return true;
}

static bool read_cri(struct hf_slice text, struct cri_line *line)
{
    if (!take_word(&text, &line->time) || !take_word(&text, &line->stream) ||
        (!hf_slice_is(line->stream, "stdout") && !hf_slice_is(line->stream, "stderr"))) {
        return false;
    }
    if (!take_word(&text, &line->tag)) {
        line->tag = text; /* an empty text: white space behind the tag was trimmed */
        text = HF_EMPTY_SLICE;
    }
    line->text = text;
    return true;
}

static bool set_text(struct hf_log_entry *entry, const char *key, struct hf_slice text)
{
    return hf_expr_map_set(entry->arena, entry->attributes.map, hf_slice_text(key),
                           hf_expr_string(text)) == HF_OK;
}

static bool set_time(struct run *run, struct hf_log_entry *entry, struct hf_slice text)
{
    int64_t time_ns = 0;
    if (!hf_time_rfc3339(text, &time_ns)) {
        operator_failed(run, "the time of the line is none: %.*s",
                        (int)(text.size < 60 ? text.size : 60), (const char *)text.data);
        return false;
    }
    entry->time_ns = time_ns > 0 ? (uint64_t)time_ns : 0;
    return true;
}

static enum outcome run_docker(struct run *run, struct hf_log_entry *entry, struct hf_slice text)
{
    struct hf_expr_value object;
    if (!hf_expr_json_read(entry->arena, text, false, &object) || object.type != HF_EXPR_MAP) {
        return operator_failed(run, "the line is no JSON object");
    }
    for (size_t i = 0; i < object.map->count; i++) {
        const struct hf_expr_pair *pair = &object.map->pairs[i];
        bool is_text = pair->value.type == HF_EXPR_STRING;
        bool good = true;
        if (hf_slice_is(pair->key, "log")) {
            entry->body = pair->value;
        } else if (hf_slice_is(pair->key, "stream") && is_text) {
            good = set_text(entry, "log.iostream", pair->value.text);
        } else if (hf_slice_is(pair->key, "time") && is_text) {
            if (!set_time(run, entry, pair->value.text)) {
                return OUTCOME_FAILED;
            }
        } else {
            good = hf_expr_map_set(entry->arena, entry->attributes.map, pair->key, pair->value) ==
                   HF_OK;
        }
        if (!good) {
            return operator_failed(run, "out of memory");
        }
    }
    return add_metadata(run, entry) ? OUTCOME_NEXT : OUTCOME_FAILED;
}

/* Whose partial lines they are: of a stream of a file, as the two streams of a container share a
 * file and their parts may alternate. `data` NULL: no memory. */
static struct hf_slice source_of(struct hf_log_entry *entry, struct hf_slice stream)
{
    const struct hf_expr_pair *path = hf_expr_map_find(entry->attributes.map, path_key);
    bool is_known = path != NULL && path->value.type == HF_EXPR_STRING;
    struct hf_slice file = is_known ? path->value.text : HF_EMPTY_SLICE;
    uint8_t *key = hf_arena_take(entry->arena, stream.size + 1 + file.size);
    if (key == NULL) {
        return HF_EMPTY_SLICE;
    }
    memcpy(key, stream.data, stream.size);
    key[stream.size] = ' ';
    memcpy(key + stream.size + 1, file.size != 0 ? file.data : key, file.size);
    return hf_slice_of(key, stream.size + 1 + file.size);
}

/* The tag of CRI has parts with colons between them, of which the first says it. */
static bool is_partial(struct hf_slice tag)
{
    return tag.size != 0 && tag.data[0] == 'P' && (tag.size == 1 || tag.data[1] == ':');
}

static void flush(struct hf_log_pipeline *pipeline, struct operator* operator,
                  struct joined * joined)
{
    struct container_state *state = operator->state;
    joined->offset = UINT64_MAX; /* held no more, also for a commit that follows at once */
    joined->entry.body = hf_expr_string(hf_slice_of(joined->text.data, joined->text.size));
    pass_on(pipeline, operator, & joined->entry);
    joined_remove(&state->list, joined);
}

/* A part of a line, or the end of one of which parts are held; else it passes. */
static enum outcome join(struct run *run, struct hf_log_entry *entry, const struct cri_line *line)
{
    struct container_state *state = run->operator->state;
    bool is_last = !is_partial(line->tag);
    if (is_last && state->list.count == 0) {
        return OUTCOME_NEXT;
    }
    struct hf_slice source = source_of(entry, line->stream);
    struct joined *joined = source.data != NULL ? joined_find(&state->list, source) : NULL;
    if (is_last && source.data != NULL && joined == NULL) {
        return OUTCOME_NEXT;
    }
    if (joined == NULL && source.data != NULL) {
        joined = joined_add(&state->list, source, hf_clock_monotonic_ns());
    }
    if (joined == NULL ||
        joined_append(joined, entry, line->text, HF_EMPTY_SLICE, false) != HF_OK) {
        return operator_failed(run, "out of memory");
    }
    if (is_last || (state->bytes_max != 0 && joined->text.size >= state->bytes_max)) {
        flush(run->pipeline, run->operator, joined);
    }
    return OUTCOME_DROPPED;
}

static enum outcome run_cri(struct run *run, struct hf_log_entry *entry, struct hf_slice text)
{
    struct cri_line line;
    if (!read_cri(text, &line)) {
        return operator_failed(run, "the line is none of CRI-O or containerd");
    }
    if (!set_time(run, entry, line.time)) {
        return OUTCOME_FAILED;
    }
    if (!set_text(entry, "log.iostream", line.stream) || !set_text(entry, "logtag", line.tag)) {
        return operator_failed(run, "out of memory");
    }
    entry->body = hf_expr_string(line.text);
    return add_metadata(run, entry) ? join(run, entry, &line) : OUTCOME_FAILED;
}

static enum outcome run_container(struct run *run, struct hf_log_entry *entry)
{
    const struct container_state *state = run->operator->state;
    const struct parser *parser = run->operator->parser;
    const struct hf_expr_value *from = hf_log_field_get(&parser->from, entry);
    if (from == NULL || from->type != HF_EXPR_STRING) {
        return operator_failed(run, "what is parsed is no text");
    }
    bool object = from->text.size != 0 && from->text.data[0] == '{';
    return state->format == DOCKER || (state->format == DETECT && object)
               ? run_docker(run, entry, from->text)
               : run_cri(run, entry, from->text);
}

static void tick_container(struct hf_log_pipeline *pipeline, struct operator* operator,
                           uint64_t now_ns)
{
    struct container_state *state = operator->state;
    struct joined *next = NULL;
    for (struct joined *joined = state->list.first; joined != NULL; joined = next) {
        next = joined->next;
        if (now_ns > joined->since_ns && now_ns - joined->since_ns >= FLUSH_NS) {
            flush(pipeline, operator, joined);
        }
    }
}

static uint64_t held_container(const struct operator* operator, const void * source)
{
    return joined_held(&((const struct container_state *)operator->state)->list, source);
}

static void forget_container(struct hf_log_pipeline *pipeline, struct operator* operator,
                             const void * source)
{
    struct container_state *state = operator->state;
    (void)pipeline;
    for (struct joined *joined = state->list.first; joined != NULL; joined = joined->next) {
        joined->source = joined->source == source ? NULL : joined->source;
    }
}

static const char *const keys[] = {"format", "add_metadata_from_filepath", "max_log_size", NULL};

const struct operator_kind operator_container = {
    .type = "container",
    .keys = keys,
    .size = sizeof(struct container_state),
    .is_parser = true,
    .open = open_container,
    .close = close_container,
    .run = run_container,
    .tick = tick_container,
    .held = held_container,
    .forget = forget_container,
};
