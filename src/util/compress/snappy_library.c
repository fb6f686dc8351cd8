#include "snappy_library.h"

#include <pthread.h>
#include <stddef.h>

#include <holdfast/component.h>

#include "util/library.h"

static struct hf_snappy_library functions;
static bool is_loaded;

static void load(void)
{
    static const struct hf_library_symbol symbols[] = {
#define ROW(name) {"snappy_" #name, offsetof(struct hf_snappy_library, name)}
        ROW(compress), ROW(uncompress), ROW(max_compressed_length), ROW(uncompressed_length)
#undef ROW
    };
    struct hf_library library = {
        .names = {"libsnappy.so.1"},
        .symbols = symbols,
        .count = sizeof(symbols) / sizeof(symbols[0]),
        .missing = "snappy needs libsnappy (Debian: apt-get install libsnappy1v5)",
        .old = "install libsnappy 1.1 or newer (Debian: libsnappy1v5)",
    };
    char error[HF_ERROR_MAX]; /* the caller has a status for it */
    is_loaded = hf_library_load(&library, &functions, error);
}

const struct hf_snappy_library *hf_snappy_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded ? &functions : NULL;
}
