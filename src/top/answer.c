#include "answer.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX (256u << 20)
#define KEY_MAX 64u

enum hf_status hf_top_answer_read(struct hf_slice text, struct hf_top_answer **ret_answer)
{
    char error[HF_JSON_ERROR_MAX];
    struct hf_top_answer *answer = calloc(1, sizeof(*answer));
    if (answer == NULL) {
        return HF_NOMEM;
    }
    answer->arena.limit = ANSWER_BYTES_MAX;
    enum hf_status status = hf_json_read(text, &answer->arena, &answer->root, error);
    if (status == HF_OK && hf_json_int(hf_json_get(answer->root, "protocol")) != 1) {
        status = HF_INVALID;
    }
    if (status != HF_OK) {
        hf_top_answer_free(answer);
        return status == HF_NOMEM ? HF_NOMEM : HF_INVALID;
    }
    *ret_answer = answer;
    return HF_OK;
}

void hf_top_answer_free(struct hf_top_answer *answer)
{
    if (answer != NULL) {
        hf_arena_release(&answer->arena);
        free(answer);
    }
}

double hf_top_number(const struct hf_json *value, const char *way)
{
    char key[KEY_MAX];
    while (value != NULL && *way != '\0') {
        size_t size = strcspn(way, ".");
        if (size >= sizeof(key)) {
            return -1;
        }
        memcpy(key, way, size);
        key[size] = '\0';
        value = hf_json_get(value, key);
        way += size + (way[size] == '.' ? 1 : 0);
    }
    if (value != NULL && value->kind == HF_JSON_INT) {
        return (double)value->integer;
    }
    return value != NULL && value->kind == HF_JSON_DOUBLE ? value->number : -1;
}

const char *hf_top_text(const struct hf_json *value, const char *key)
{
    struct hf_slice text = hf_json_text_of(value, key);
    return text.data != NULL ? (const char *)text.data : "";
}

const struct hf_json *hf_top_find(const struct hf_json *root, const char *key, const char *kind,
                                  const char *id)
{
    const struct hf_json *entry = hf_json_first(hf_json_get(root, key));
    while (entry != NULL && (strcmp(hf_top_text(entry, "id"), id) != 0 ||
                             (kind != NULL && strcmp(hf_top_text(entry, "kind"), kind) != 0))) {
        entry = entry->next;
    }
    return entry;
}
