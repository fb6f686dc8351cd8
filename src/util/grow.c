#include "grow.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY ((size_t)16)

bool hf_grow(void *items, size_t *capacity, size_t needed, size_t size)
{
    void *array;
    if (needed <= *capacity) {
        return true;
    }
    size_t grown = *capacity != 0 ? *capacity : FIRST_CAPACITY / 2;
    grown = grown > needed / 2 ? 2 * grown : needed;
    memcpy(&array, items, sizeof(array));
    array = reallocarray(array, grown, size);
    if (array == NULL) {
        return false;
    }
    memcpy(items, &array, sizeof(array));
    *capacity = grown;
    return true;
}
