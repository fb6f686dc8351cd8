/*
 * fluentbit_files: files, and those that they include.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fluentbit.h"

#define FILE_MAX ((size_t)8 << 20)

static void include(struct fb_config *config, const char *pattern, const char *file, unsigned depth)
{
    glob_t found = {0};
    const char *whole = fb_beside(config, file, pattern);
    if (depth >= FB_DEPTH_MAX) {
        fb_tell(config, FB_ERROR, NULL, "%s: files include each other too deeply", whole);
        return;
    }
    if (glob(whole, 0, NULL, &found) != 0 || found.gl_pathc == 0) {
        fb_tell(config, FB_ERROR, NULL, "%s: there is no such file, which %s includes", whole,
                file);
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        fb_read_file(config, fb_copy(config, hf_slice_text(found.gl_pathv[i])), depth + 1);
    }
    globfree(&found);
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcasecmp(text + size - end_size, end) == 0;
}

static void read_classic_file(struct fb_config *config, const char *path, unsigned depth)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    if (file != NULL) {
        text = malloc(FILE_MAX);
        size = text != NULL ? fread(text, 1, FILE_MAX, file) : 0;
    }
    if (file == NULL || ferror(file) != 0) {
        fb_tell(config, FB_ERROR, NULL, "%s: %s", path, strerrordesc_np(errno));
    } else if (text == NULL || size == FILE_MAX) {
        fb_tell(config, FB_ERROR, NULL, "%s: the file is larger than 8 MiB", path);
    } else {
        fb_read_classic(config, hf_slice_of(text, size), path, depth, include);
    }
    free(text);
    if (file != NULL) {
        fclose(file);
    }
}

void fb_read_file(struct fb_config *config, const char *path, unsigned depth)
{
    if (config->files++ >= FB_FILES_MAX) {
        fb_tell(config, FB_ERROR, NULL, "%s: more than %u files", path, FB_FILES_MAX);
    } else if (ends_with(path, ".yaml") || ends_with(path, ".yml")) {
        fb_read_yaml(config, path, depth, include);
    } else {
        read_classic_file(config, path, depth);
    }
}
