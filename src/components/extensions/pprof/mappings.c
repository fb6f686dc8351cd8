#include "mappings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPINGS_MAX 4096u

/* One line of /proc/self/maps. False: it is no executable mapping. */
static bool parse(const char *line, struct hf_mapping *mapping)
{
    char rights[8];
    int path_at = 0;
    int found = sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %n", &mapping->start,
                       &mapping->end, rights, &mapping->offset, &path_at);
    if (found < 4 || path_at == 0 || rights[2] != 'x') {
        return false;
    }
    mapping->path = strndup(line + path_at, strcspn(line + path_at, "\n"));
    return mapping->path != NULL;
}

enum hf_status hf_mappings_read(struct hf_mappings *ret_mappings)
{
    char line[4400]; /* a path of PATH_MAX, and the numbers before it */
    FILE *file = fopen("/proc/self/maps", "re");
    *ret_mappings = (struct hf_mappings){0};
    if (file == NULL) {
        return HF_IO;
    }
    enum hf_status status = HF_OK;
    while (status == HF_OK && fgets(line, sizeof(line), file) != NULL) {
        struct hf_mapping mapping = {0};
        if (!parse(line, &mapping)) {
            continue;
        }
        size_t count = ret_mappings->count;
        struct hf_mapping *items =
            count < MAPPINGS_MAX ? reallocarray(ret_mappings->items, count + 1, sizeof(*items))
                                 : NULL;
        if (items == NULL) {
            free(mapping.path);
            status = HF_NOMEM;
        } else {
            items[count] = mapping;
            ret_mappings->items = items;
            ret_mappings->count++;
        }
    }
    fclose(file);
    if (status != HF_OK) {
        hf_mappings_release(ret_mappings);
    }
    return status;
}

void hf_mappings_release(struct hf_mappings *mappings)
{
    for (size_t i = 0; i < mappings->count; i++) {
        free(mappings->items[i].path);
        hf_elf_symbols_free(mappings->items[i].symbols);
    }
    free(mappings->items);
    *mappings = (struct hf_mappings){0};
}

struct hf_mapping *hf_mappings_find(const struct hf_mappings *mappings, uint64_t address)
{
    size_t low = 0;
    size_t high = mappings->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mappings->items[middle].end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < mappings->count && mappings->items[low].start <= address;
    return found ? &mappings->items[low] : NULL;
}

void hf_mapping_read_symbols(struct hf_mapping *mapping)
{
    if (!mapping->is_read) {
        mapping->is_read = true;
        if (hf_elf_symbols_read(mapping->path, &mapping->symbols) != HF_OK) {
            mapping->symbols = NULL; /* a file that is gone, or no file */
        }
    }
}

const char *hf_mapping_function(struct hf_mapping *mapping, uint64_t address)
{
    hf_mapping_read_symbols(mapping);
    return mapping->symbols != NULL
               ? hf_elf_symbols_find(mapping->symbols, address - mapping->start + mapping->offset)
               : NULL;
}
