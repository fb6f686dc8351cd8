#include "component_check.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the memory of all checks */

void hf_component_check(const struct hf_component *component, const void *config,
                        void (*tell)(void *user, const char *sentence), void *user)
{
    if (component->check == NULL) {
        return;
    }
    pthread_mutex_lock(&lock);
    const char *sentence = component->check(config);
    if (sentence != NULL) {
        tell(user, sentence);
    }
    pthread_mutex_unlock(&lock);
}
