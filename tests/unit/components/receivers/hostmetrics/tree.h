/*
 * tree: a made-up /proc in a temporary folder, for the tests of one scraper's parts. It is included
 * by each test program once.
 */
#pragma once

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
    char root[64];
};

static inline void tree_make(struct tree *tree)
{
    snprintf(tree->root, sizeof(tree->root), "/tmp/holdfast-tree-XXXXXX");
    const char *made = mkdtemp(tree->root);
    assert(made != NULL);
    (void)made;
}

/* Writes `path` below the root, with the folders it needs. */
static inline void tree_write(const struct tree *tree, const char *path, const char *text,
                              size_t size)
{
    char full[256];
    snprintf(full, sizeof(full), "%s/%s", tree->root, path);
    for (char *slash = strchr(full + strlen(tree->root) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0700); /* it may be there */
        *slash = '/';
    }
    FILE *file = fopen(full, "we");
    assert(file != NULL);
    size_t written = fwrite(text, 1, size, file);
    assert(written == size);
    (void)written;
    fclose(file);
}

static inline void tree_text(const struct tree *tree, const char *path, const char *text)
{
    tree_write(tree, path, text, strlen(text));
}

static inline int tree_remove_one(const char *path, const struct stat *stat, int kind,
                                  struct FTW *level)
{
    (void)stat;
    (void)kind;
    (void)level;
    return remove(path);
}

static inline void tree_remove(const struct tree *tree)
{
    (void)nftw(tree->root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
