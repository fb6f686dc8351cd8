#include "xml_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <holdfast/component.h>

static struct hf_xml_library library;
static bool is_loaded;
static char load_error[HF_ERROR_MAX];

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define ROW(name) {"xml" #name, offsetof(struct hf_xml_library, name)},
    HF_XML_FUNCTIONS(ROW)
#undef ROW
};

static bool find_all(void *handle)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *function = dlsym(handle, functions[i].name);
        if (function == NULL) {
            snprintf(load_error, sizeof(load_error), "libxml2 has no %s: install 2.9 or newer",
                     functions[i].name);
            return false;
        }
        *(void **)(void *)((char *)&library + functions[i].offset) = function;
    }
    return true;
}

static void load(void)
{
    static const char *const names[] = {"libxml2.so.2", "libxml2.so.16"};
    void *handle = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && handle == NULL; i++) {
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    }
    if (handle == NULL) {
        snprintf(load_error, sizeof(load_error),
                 "functions of XML need libxml2 (Debian: apt-get install libxml2): %.200s",
                 dlerror());
        return;
    }
    is_loaded = find_all(handle);
    if (is_loaded) {
        library.InitParser();
    }
}

const struct hf_xml_library *hf_xml_library(char *reterr)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!is_loaded) {
        snprintf(reterr, HF_ERROR_MAX, "%s", load_error);
    }
    return is_loaded ? &library : NULL;
}
