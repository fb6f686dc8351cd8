#include "disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, PAGE = 4096, FDS = 1024, PATH_SIZE = 128, NAMES_MAX = 512 };

enum change_kind { WRITE, RESIZE, GROW, LINK, MOVE, UNLINK };

/* Something done and not yet durable. */
struct change {
    struct change *next;
    enum change_kind kind;
    struct file *file;
    uint64_t offset, size; /* WRITE; RESIZE and GROW: size */
    const uint8_t *data;
    char path[PATH_SIZE], path2[PATH_SIZE];
    bool is_directory;
};

struct file {
    struct file *next;
    uint8_t *bytes; /* durable */
    uint64_t size, room;
    bool is_directory;
};

struct name {
    char path[PATH_SIZE];
    struct file *file;
};

struct names {
    struct name name[NAMES_MAX];
    size_t count;
};

struct descriptor {
    struct file *file;
    char path[PATH_SIZE];
    bool is_synced; /* O_DSYNC, O_SYNC */
};

struct disk {
    struct file *files;
    struct names durable, present;
    struct change *first, **last; /* in order */
    struct change *newest;        /* of the operation begun */
    size_t pending;
    struct descriptor fds[FDS];
    const struct crash_entry *entry; /* begun */
};

static void *need(void *memory)
{
    if (memory == NULL) {
        perror("disk");
        exit(2);
    }
    return memory;
}

/* ---- names ---- */

static struct name *name_of(struct names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->name[i].path, path) == 0) {
            return &names->name[i];
        }
    }
    return NULL;
}

static void link_name(struct names *names, const char *path, struct file *file)
{
    struct name *name = name_of(names, path);

    if (name == NULL) {
        if (names->count == NAMES_MAX) {
            fprintf(stderr, "disk: too many names\n");
            exit(2);
        }
        name = &names->name[names->count++];
        snprintf(name->path, sizeof(name->path), "%s", path);
    }
    name->file = file;
}

static void unlink_name(struct names *names, const char *path, const struct file *file)
{
    struct name *name = name_of(names, path);

    if (name != NULL && name->file == file) {
        *name = names->name[--names->count];
    }
}

/* Whether `path` lies in the directory, "" being the uppermost. */
static bool is_in(const char *path, const char *directory)
{
    size_t size = strlen(directory);
    const char *slash = strrchr(path, '/');

    return slash == NULL ? size == 0
                         : (size_t)(slash - path) == size && strncmp(path, directory, size) == 0;
}

/* ---- changes ---- */

static void set_size(struct file *file, uint64_t size)
{
    if (size > file->room) {
        uint64_t room = size + size / 2;
        file->bytes = need(realloc(file->bytes, room));
        file->room = room;
    }
    if (size > file->size) {
        memset(&file->bytes[file->size], 0, size - file->size);
    }
    file->size = size;
}

static void put(struct file *file, uint64_t offset, const uint8_t *data, uint64_t size)
{
    if (offset + size > file->size) {
        set_size(file, offset + size);
    }
    memcpy(&file->bytes[offset], data, size);
}

static void change_names(struct names *names, const struct change *change)
{
    if (change->kind == LINK) {
        link_name(names, change->path, change->file);
    } else if (change->kind == UNLINK) {
        unlink_name(names, change->path, change->file);
    } else if (change->kind == MOVE) {
        unlink_name(names, change->path, change->file);
        link_name(names, change->path2, change->file);
    }
}

static void change_file(struct file *file, const struct change *change)
{
    if (change->kind == WRITE) {
        put(file, change->offset, change->data, change->size);
    } else if (change->kind == RESIZE || (change->kind == GROW && change->size > file->size)) {
        set_size(file, change->size);
    }
}

static bool is_of_names(const struct change *change)
{
    return change->kind >= LINK;
}

static struct change *add_change(struct disk *disk, enum change_kind kind, struct file *file)
{
    struct change *change = need(calloc(1, sizeof(*change)));

    change->kind = kind;
    change->file = file;
    *disk->last = change;
    disk->last = &change->next;
    disk->newest = change;
    disk->pending++;
    return change;
}

/* What a sync made durable. */
struct synced {
    const struct file *file;    /* all of its content; or */
    const char *directory;      /* all of its names; or */
    const struct change *write; /* this one, and what was written before to the same pages */
};

static bool is_durable(const struct change *change, const struct synced *synced)
{
    if (is_of_names(change)) {
        return synced->directory != NULL &&
               (is_in(change->path, synced->directory) ||
                (change->kind == MOVE && is_in(change->path2, synced->directory)));
    }
    if (synced->write != NULL) {
        const struct change *write = synced->write;
        return change->file == write->file && change->kind == WRITE &&
               change->offset / PAGE <= (write->offset + write->size - 1) / PAGE &&
               write->offset / PAGE <= (change->offset + change->size - 1) / PAGE;
    }
    return change->file == synced->file;
}

static void settle(struct disk *disk, const struct synced *synced)
{
    struct change **at = &disk->first;

    while (*at != NULL) {
        struct change *change = *at;
        if (!is_durable(change, synced)) {
            at = &change->next;
            continue;
        }
        if (is_of_names(change)) {
            change_names(&disk->durable, change);
        } else {
            change_file(change->file, change);
        }
        *at = change->next;
        disk->pending--;
        if (change != synced->write) {
            free(change);
        }
    }
    disk->last = at;
    free((void *)synced->write);
}

/* ---- playing back ---- */

static struct file *file_new(struct disk *disk, bool is_directory)
{
    struct file *file = need(calloc(1, sizeof(*file)));

    file->is_directory = is_directory;
    file->next = disk->files;
    disk->files = file;
    return file;
}

static void copy_path(char to[PATH_SIZE], const char *from, size_t size)
{
    if (size >= PATH_SIZE) {
        fprintf(stderr, "disk: a path is too long\n");
        exit(2);
    }
    memcpy(to, from, size);
    to[size] = '\0';
    if (size >= 2 && strcmp(&to[size - 2], "/.") == 0) {
        to[size - 2] = '\0';
    } else if (size >= 3 && strcmp(&to[size - 3], "/..") == 0) {
        to[size - 3] = '\0';
        char *slash = strrchr(to, '/');
        *(slash != NULL ? slash : to) = '\0';
    }
}

static void begin_open(struct disk *disk, const struct crash_entry *entry, const char *path)
{
    struct descriptor *fd = &disk->fds[entry->fd];

    *fd = (struct descriptor){.is_synced = (entry->flags & (O_DSYNC | O_SYNC)) != 0};
    snprintf(fd->path, sizeof(fd->path), "%s", path);
    struct name *name = name_of(&disk->present, path);
    if (name != NULL) {
        fd->file = name->file;
        if ((entry->flags & O_TRUNC) != 0) {
            add_change(disk, RESIZE, fd->file);
        }
    } else if (path[0] != '\0') { /* else the uppermost directory */
        fd->file = file_new(disk, false);
        struct change *change = add_change(disk, LINK, fd->file);
        snprintf(change->path, sizeof(change->path), "%s", path);
        change_names(&disk->present, change);
    }
}

static void begin_names(struct disk *disk, const struct crash_entry *entry, const char *path,
                        const char *path2)
{
    struct file *file = NULL;
    enum change_kind kind = entry->op == OP_RENAME ? MOVE : entry->op == OP_UNLINK ? UNLINK : LINK;

    if (entry->op == OP_MKDIR) {
        file = file_new(disk, true);
    } else if (name_of(&disk->present, path) != NULL) {
        file = name_of(&disk->present, path)->file;
    } else {
        fprintf(stderr, "disk: the history has no file %s\n", path);
        exit(2);
    }
    struct change *change = add_change(disk, kind, file);
    snprintf(change->path, sizeof(change->path), "%s", path);
    snprintf(change->path2, sizeof(change->path2), "%s", path2);
    change_names(&disk->present, change);
}

void disk_begin(struct disk *disk, const struct crash_entry *entry)
{
    const char *rest = (const char *)&entry[1];
    char path[PATH_SIZE], path2[PATH_SIZE];
    struct change *change = NULL;

    copy_path(path, rest, entry->path_bytes);
    copy_path(path2, &rest[entry->path_bytes], entry->path2_bytes);
    disk->entry = entry;
    struct file *file = disk->fds[entry->fd].file;
    switch (entry->op) {
    case OP_OPEN:
        begin_open(disk, entry, path);
        break;
    case OP_WRITE:
        change = add_change(disk, WRITE, file);
        change->offset = entry->offset;
        change->size = entry->data_bytes;
        change->data = (const uint8_t *)&rest[entry->path_bytes + entry->path2_bytes];
        break;
    case OP_TRUNCATE:
    case OP_ALLOCATE:
        change = add_change(disk, entry->op == OP_TRUNCATE ? RESIZE : GROW, file);
        change->size = entry->offset;
        break;
    case OP_RENAME:
    case OP_UNLINK:
    case OP_MKDIR:
        begin_names(disk, entry, path, path2);
        break;
    case OP_START:
        memset(disk->fds, 0, sizeof(disk->fds));
        break;
    default:
        break;
    }
}

void disk_end(struct disk *disk)
{
    const struct crash_entry *entry = disk->entry;
    struct descriptor *fd = &disk->fds[entry->fd];

    if (entry->op == OP_SYNC && (fd->file == NULL || fd->file->is_directory)) {
        settle(disk, &(struct synced){.directory = fd->path});
    } else if (entry->op == OP_SYNC) {
        settle(disk, &(struct synced){.file = fd->file});
    } else if (entry->op == OP_WRITE && fd->is_synced && !entry->is_unfinished) {
        settle(disk, &(struct synced){.write = disk->newest});
    }
}

size_t disk_pending(const struct disk *disk)
{
    return disk->pending;
}

/* ---- cutting ---- */

enum cut_mode {
    NOTHING, /* of what was not synced */
    EVERYTHING,
    CONTENTS_ONLY, /* and no names */
    NAMES_ONLY,
    FIRST_ONES,   /* up to some moment, the last one torn */
    SOME,         /* each change by itself */
    SOME_SECTORS, /* of each write */
    ALL_BUT_ONE,
    CUT_MODES
};

struct cut {
    enum cut_mode mode;
    uint64_t state;   /* of the generator */
    uint64_t percent; /* of what is there */
    size_t chosen;    /* index of the change that is special */
};

static uint64_t draw_next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* How many percent of a change's parts are there; above 100: a first part of it. */
static uint64_t share(struct cut *cut, const struct change *change, size_t index)
{
    uint64_t draw = draw_next(&cut->state);

    switch (cut->mode) {
    case NOTHING:
        return 0;
    case EVERYTHING:
        return 100;
    case CONTENTS_ONLY:
        return is_of_names(change) ? 0 : 100;
    case NAMES_ONLY:
        return is_of_names(change) ? 100 : 0;
    case FIRST_ONES:
        return index < cut->chosen ? 100 : index == cut->chosen ? 101 : 0;
    case SOME:
        return draw % 100 < cut->percent ? 100 : 0;
    case SOME_SECTORS:
        if (change->kind == WRITE) {
            return cut->percent;
        }
        return draw % 100 < cut->percent ? 100 : 0;
    default:
        return index != cut->chosen ? 100 : draw % 2 == 0 ? 0 : 50;
    }
}

static void apply_write(struct file *file, const struct change *change, uint64_t percent,
                        struct cut *cut)
{
    uint64_t done = 0;
    uint64_t end = change->size;

    if (percent > 100) {
        end = draw_next(&cut->state) % (change->size / SECTOR + 1) * SECTOR;
        percent = 100;
    }
    while (done < end) {
        uint64_t step = SECTOR - (change->offset + done) % SECTOR;
        if (step > change->size - done) {
            step = change->size - done;
        }
        if (percent == 100 || draw_next(&cut->state) % 100 < percent) {
            put(file, change->offset + done, &change->data[done], step);
        }
        done += step;
    }
}

static void write_out(const char *path, const struct file *file)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, file->bytes, file->size) != (ssize_t)file->size) {
        perror(path);
        exit(2);
    }
    close(fd);
}

/* The content of one file after the cut. `shares` says what is there of each change. */
static void write_file(const struct disk *disk, const struct file *file, const char *path,
                       const uint8_t *shares, struct cut *cut)
{
    struct file copy = {0};
    size_t index = 0;

    set_size(&copy, file->size);
    if (file->size != 0) {
        memcpy(copy.bytes, file->bytes, file->size);
    }
    for (const struct change *change = disk->first; change != NULL; change = change->next) {
        uint64_t percent = shares[index++];
        if (change->file != file || is_of_names(change) || percent == 0) {
            continue;
        }
        if (change->kind == WRITE) {
            apply_write(&copy, change, percent, cut);
        } else if (percent >= 50) {
            change_file(&copy, change);
        }
    }
    write_out(path, &copy);
    free(copy.bytes);
}

static void write_names(const struct disk *disk, struct names *names, const char *directory,
                        const uint8_t *shares, struct cut *cut)
{
    char path[4096];

    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < names->count; i++) {
            const struct name *name = &names->name[i];
            char parent[PATH_SIZE];
            snprintf(parent, sizeof(parent), "%s", name->path);
            char *slash = strrchr(parent, '/');
            if (slash != NULL) {
                *slash = '\0';
            }
            bool is_lost = slash != NULL && name_of(names, parent) == NULL;
            if (is_lost || name->file->is_directory != (pass == 0)) {
                continue;
            }
            snprintf(path, sizeof(path), "%s/%s", directory, name->path);
            if (pass == 0) {
                (void)mkdir(path, 0700);
            } else {
                write_file(disk, name->file, path, shares, cut);
            }
        }
    }
}

void disk_cut(const struct disk *disk, const char *directory, uint64_t draw)
{
    struct cut cut = {.state = draw};
    struct names names = disk->durable;
    uint8_t *shares = need(malloc(disk->pending + 1));
    size_t index = 0;

    cut.mode = (enum cut_mode)(draw_next(&cut.state) % CUT_MODES);
    cut.percent = 5 + draw_next(&cut.state) % 93;
    cut.chosen = disk->pending != 0 ? draw_next(&cut.state) % disk->pending : 0;
    for (const struct change *change = disk->first; change != NULL; change = change->next) {
        shares[index] = (uint8_t)share(&cut, change, index);
        if (is_of_names(change) && shares[index] >= 50) {
            change_names(&names, change);
        }
        index++;
    }
    write_names(disk, &names, directory, shares, &cut);
    free(shares);
}

/* ---- the beginning and the end ---- */

static struct file *load_file(struct disk *disk, const char *path, uint64_t size)
{
    struct file *file = file_new(disk, false);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    set_size(file, size);
    if (fd < 0 || read(fd, file->bytes, size) != (ssize_t)size) {
        perror(path);
        exit(2);
    }
    close(fd);
    return file;
}

static void load(struct disk *disk, const char *directory, const char *below)
{
    char path[4096], name[PATH_SIZE];
    struct stat info;

    snprintf(path, sizeof(path), "%s/%s", directory, below);
    DIR *dir = need(opendir(path));
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        int size = snprintf(name, sizeof(name), "%s%s%s", below, below[0] != '\0' ? "/" : "",
                            entry->d_name);
        snprintf(path, sizeof(path), "%s/%s", directory, name);
        if (size >= PATH_SIZE || stat(path, &info) != 0) {
            perror(path);
            exit(2);
        }
        if (S_ISDIR(info.st_mode)) {
            link_name(&disk->durable, name, file_new(disk, true));
            load(disk, directory, name);
        } else {
            link_name(&disk->durable, name, load_file(disk, path, (uint64_t)info.st_size));
        }
    }
    closedir(dir);
}

struct disk *disk_new(const char *directory)
{
    struct disk *disk = need(calloc(1, sizeof(*disk)));

    disk->last = &disk->first;
    load(disk, directory, "");
    disk->present = disk->durable;
    return disk;
}

void disk_free(struct disk *disk)
{
    while (disk->first != NULL) {
        struct change *change = disk->first;
        disk->first = change->next;
        free(change);
    }
    while (disk->files != NULL) {
        struct file *file = disk->files;
        disk->files = file->next;
        free(file->bytes);
        free(file);
    }
    free(disk);
}
