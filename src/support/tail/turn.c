#include "turn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct hf_turn {
    struct hf_turn *next;
    char name[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the line */
static struct hf_turn *line;                             /* the first one first */

enum hf_status hf_turn_join(const char *name, struct hf_turn **ret_turn)
{
    size_t size = strlen(name) + 1;
    struct hf_turn *turn = malloc(sizeof(*turn) + size);
    if (turn == NULL) {
        return HF_NOMEM;
    }
    turn->next = NULL;
    memcpy(turn->name, name, size);
    pthread_mutex_lock(&lock);
    struct hf_turn **end = &line;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = turn;
    pthread_mutex_unlock(&lock);
    *ret_turn = turn;
    return HF_OK;
}

bool hf_turn_is_mine(const struct hf_turn *turn)
{
    pthread_mutex_lock(&lock);
    const struct hf_turn *first = line;
    while (first != NULL && strcmp(first->name, turn->name) != 0) {
        first = first->next;
    }
    pthread_mutex_unlock(&lock);
    return first == turn;
}

void hf_turn_leave(struct hf_turn *turn)
{
    if (turn == NULL) {
        return;
    }
    pthread_mutex_lock(&lock);
    struct hf_turn **at = &line;
    while (*at != turn) {
        at = &(*at)->next;
    }
    *at = turn->next;
    pthread_mutex_unlock(&lock);
    free(turn);
}
