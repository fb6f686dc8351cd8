#include "component_check.h"

#include <pthread.h>

#include "util/mistake.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the memory of all checks */

void hf_component_check(const struct hf_component *component, const void *config,
                        void (*tell)(void *user, const char *sentence), void *user)
{
    if (component->check == NULL) {
        return;
    }
    pthread_mutex_lock(&lock);
    hf_mistakes_collect(tell, user);
    const char *sentence = component->check(config);
    hf_mistakes_collect(NULL, NULL);
    if (sentence != NULL) {
        tell(user, sentence); /* perhaps again: what is told twice is shown once */
    }
    pthread_mutex_unlock(&lock);
}
