#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/escape.h"
#include "json/json.h"

#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define ARENA_BYTES_KEPT ((size_t)1 << 20)
#define WORDS_MAX 256u

_Static_assert(HF_BULK_ERROR_MAX >= HF_JSON_ERROR_MAX, "room for the parser's sentence");

/* What was said of one item so far. */
struct said {
    enum hf_status status;
    int code;
    const char *message;
};

bool hf_bulk_answer_is_good(struct hf_slice body)
{
    static const char good[] = "\"errors\":false";
    const size_t head = 64; /* behind `took` at most */
    return body.size != 0 &&
           memmem(body.data, body.size < head ? body.size : head, good, sizeof(good) - 1) != NULL;
}

/* ---- one document ---- */

static bool is_retried(const struct hf_bulk_retry *retry, int code)
{
    for (size_t i = 0; i < retry->count; i++) {
        if (retry->codes[i] == code) {
            return true;
        }
    }
    return false;
}

/* As the table of HTTP codes has it for requests, for one document: what is about the index or the
 * credentials costs no data. */
static enum hf_status status_of(const struct hf_bulk_retry *retry, int code)
{
    if ((code >= 200 && code < 300) || code == 409) {
        return HF_OK;
    }
    switch (code) {
    case 401:
        return HF_UNAUTHENTICATED;
    case 403: /* also an index that is blocked while the disk is full */
        return HF_FORBIDDEN;
    case 404:
        return HF_NOT_FOUND;
    case 429:
        return HF_BUSY;
    default:
        return code >= 500 || is_retried(retry, code) ? HF_AGAIN : HF_INVALID;
    }
}

/* "type: reason: cause", fit to be shown. */
static void print_reason(const struct hf_json *error, char *room, size_t size)
{
    struct hf_slice type = hf_json_text_of(error, "type");
    struct hf_slice reason = hf_json_text_of(error, "reason");
    struct hf_slice cause = hf_json_text_of(hf_json_get(error, "caused_by"), "reason");
    if (error != NULL && error->kind == HF_JSON_STRING) {
        reason = error->text;
    }
    const struct hf_slice parts[] = {type, reason, cause};
    size_t used = 0;
    room[0] = '\0';
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].size != 0 && used + sizeof(": ") < size) {
            used += used != 0 ? (size_t)snprintf(room + used, size - used, ": ") : 0;
            used += hf_escape(HF_ESCAPE_LINE, parts[i], room + used, size - used);
        }
    }
}

static const char *words_of(struct hf_bulk_answer *answer, const struct hf_json *error)
{
    char *words = hf_arena_take(&answer->arena, WORDS_MAX);
    if (words == NULL) {
        return "the document is refused";
    }
    print_reason(error, words, WORDS_MAX);
    return words[0] != '\0' ? words : "the document is refused";
}

static bool is_again(enum hf_status status)
{
    return status != HF_OK && status != HF_INVALID;
}

static void judge_document(struct hf_bulk_answer *answer, const struct hf_bulk_retry *retry,
                           const struct hf_json *element, struct said *said)
{
    const struct hf_json *action = hf_json_first(element);
    int code = (int)hf_json_int(hf_json_get(action, "status"));
    enum hf_status status = code != 0 ? status_of(retry, code) : HF_AGAIN;
    if (status == HF_OK ||
        (said->status != HF_OK && !(is_again(status) && !is_again(said->status)))) {
        return;
    }
    *said = (struct said){status, code, words_of(answer, hf_json_get(action, "error"))};
}

/* ---- all documents ---- */

static enum hf_status judge_all(struct hf_bulk_answer *answer, const struct hf_bulk *bulk,
                                const struct hf_bulk_retry *retry, struct hf_slice body,
                                struct said *said, char *reterr)
{
    const struct hf_json *root = NULL;
    enum hf_status status = hf_json_read(body, &answer->arena, &root, reterr);
    if (status != HF_OK) {
        return status == HF_NOMEM ? HF_NOMEM : HF_INVALID;
    }
    uint32_t count = 0;
    size_t tie = 0;
    const struct hf_json *element = hf_json_first(hf_json_get(root, "items"));
    for (; element != NULL && count < bulk->count; element = element->next, count++) {
        for (; tie < bulk->tie_count && bulk->ties[tie].document == count; tie++) {
            if (bulk->ties[tie].item < bulk->export->items) { /* as the queue has counted them */
                judge_document(answer, retry, element, &said[bulk->ties[tie].item]);
            }
        }
    }
    if (count != bulk->count || element != NULL) {
        snprintf(reterr, HF_BULK_ERROR_MAX,
                 "it tells of another number of documents than were sent");
        return HF_INVALID;
    }
    return HF_OK;
}

static bool is_same(const struct said *a, const struct said *b)
{
    return a->status == b->status && a->code == b->code &&
           (a->message == b->message ||
            (a->message != NULL && b->message != NULL && strcmp(a->message, b->message) == 0));
}

/* Neighbouring items of which the same was said are one outcome. */
static void join(struct hf_bulk_answer *answer, const struct said *said, uint32_t count)
{
    answer->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (said[i].status == HF_OK) {
            continue;
        }
        struct hf_item_outcome *last =
            answer->count != 0 ? &answer->items[answer->count - 1] : NULL;
        if (last != NULL && last->first + last->count == i && is_same(&said[i], &said[i - 1])) {
            last->count++;
            continue;
        }
        answer->items[answer->count++] = (struct hf_item_outcome){.first = i,
                                                                  .count = 1,
                                                                  .status = said[i].status,
                                                                  .code = said[i].code,
                                                                  .message = said[i].message};
    }
}

enum hf_status hf_bulk_answer_read(struct hf_bulk_answer *answer, const struct hf_bulk *bulk,
                                   const struct hf_bulk_retry *retry, const struct hf_slice *body,
                                   char *reterr)
{
    uint32_t count = bulk->export->items;
    answer->arena.limit = ARENA_BYTES_MAX;
    hf_arena_rewind(&answer->arena, ARENA_BYTES_KEPT);
    answer->count = 0;
    struct said *said = calloc(count != 0 ? count : 1, sizeof(*said));
    struct hf_item_outcome *items =
        reallocarray(answer->items, count != 0 ? count : 1, sizeof(*items));
    answer->items = items != NULL ? items : answer->items;
    enum hf_status status = said != NULL && items != NULL ? HF_OK : HF_NOMEM;
    if (status == HF_OK && body != NULL) {
        status = judge_all(answer, bulk, retry, *body, said, reterr);
    }
    if (status == HF_OK) {
        for (uint32_t i = bulk->left < count ? count - bulk->left : 0; i < count; i++) {
            said[i].status = HF_CLOSED; /* in no request: no attempt is counted, nothing waits */
        }
        join(answer, said, count);
    }
    free(said);
    return status;
}

void hf_bulk_answer_reason(struct hf_slice body, char *ret_text, size_t room)
{
    struct hf_arena arena = {.limit = (size_t)1 << 20};
    char error[HF_BULK_ERROR_MAX];
    const struct hf_json *root = NULL;
    ret_text[0] = '\0';
    if (hf_json_read(body, &arena, &root, error) == HF_OK) {
        print_reason(hf_json_get(root, "error"), ret_text, room);
    }
    hf_arena_release(&arena);
}

void hf_bulk_answer_release(struct hf_bulk_answer *answer)
{
    hf_arena_release(&answer->arena);
    free(answer->items);
    *answer = (struct hf_bulk_answer){0};
}
