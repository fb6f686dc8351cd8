#include "snappy_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static struct hf_snappy_library library;
static bool is_loaded;

static void load(void)
{
    static const struct {
        const char *name;
        size_t offset;
    } functions[] = {
#define ROW(name) {"snappy_" #name, offsetof(struct hf_snappy_library, name)}
        ROW(compress), ROW(uncompress), ROW(max_compressed_length), ROW(uncompressed_length)
#undef ROW
    };
    void *handle = dlopen("libsnappy.so.1", RTLD_NOW | RTLD_LOCAL);
    is_loaded = handle != NULL;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]) && is_loaded; i++) {
        void *function = dlsym(handle, functions[i].name);
        *(void **)(void *)((char *)&library + functions[i].offset) = function;
        is_loaded = function != NULL;
    }
}

const struct hf_snappy_library *hf_snappy_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded ? &library : NULL;
}
