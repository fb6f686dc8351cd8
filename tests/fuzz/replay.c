/*
 * replay: gives every file of a fuzz target's corpus to the target once, so that what the fuzzer
 * found stays found without a fuzzer. Fails when there is no file: an empty corpus tests nothing.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The content goes into a block of just its size, so that a read past its end is seen by ASan. */
static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    bool ok = fseek(file, 0, SEEK_END) == 0;
    long size = ok ? ftell(file) : -1;
    rewind(file);
    uint8_t *data = size >= 0 ? malloc((size_t)size) : NULL;
    ok = size == 0 || (data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    if (ok) {
        LLVMFuzzerTestOneInput(data, (size_t)size);
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
        return 2;
    }
    DIR *directory = opendir(argv[1]);
    if (directory == NULL) {
        perror(argv[1]);
        return 1;
    }
    size_t count = 0;
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(directory)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        ok = replay_file(path);
        count++;
    }
    closedir(directory);
    printf("%zu inputs replayed\n", count);
    return ok && count > 0 ? 0 : 1;
}
