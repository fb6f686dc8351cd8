/*
 * holds: keeps queues from being removed while one of them is used that is another's.
 */
#include "storage_internal.h"

void hf_storage_hold(struct hf_storage *store)
{
    if (store != NULL) {
        pthread_rwlock_rdlock(&store->holds);
    }
}

void hf_storage_release(struct hf_storage *store)
{
    if (store != NULL) {
        pthread_rwlock_unlock(&store->holds);
    }
}
