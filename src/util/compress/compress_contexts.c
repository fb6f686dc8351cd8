/*
 * compress_contexts: the contexts of the codecs, one set per thread, freed when the thread ends.
 */
#include <libdeflate.h>
#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

#include "compress_internal.h"

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void free_contexts(void *pointer)
{
    struct codec_contexts *contexts = pointer;
    libdeflate_free_decompressor(contexts->inflate);
    free(contexts->deflate);
    for (size_t i = 0; i < GZIP_LEVELS; i++) {
        free(contexts->deflate_level[i]);
    }
    ZSTD_freeCCtx(contexts->zstd_out);
    ZSTD_freeDCtx(contexts->zstd_in);
    free(contexts);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, free_contexts) == 0;
}

struct codec_contexts *hf_codec_contexts(void)
{
    pthread_once(&key_once, make_key);
    if (!has_key) {
        return NULL;
    }
    struct codec_contexts *contexts = pthread_getspecific(key);
    if (contexts != NULL) {
        return contexts;
    }
    contexts = calloc(1, sizeof(*contexts));
    if (contexts != NULL && pthread_setspecific(key, contexts) != 0) {
        free(contexts);
        return NULL;
    }
    return contexts;
}
