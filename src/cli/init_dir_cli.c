#include "init_dir_cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"

#define DEPTH_MAX 16 /* a data directory has three levels */
#define PARENT_MODE 0755
#define OWN_MODE 0700

struct request {
    const char *directory;
    uid_t user;
    gid_t group;
    bool has_owner, help;
};

/* What is below the directory, and whose it shall be. */
struct giving {
    const struct request *request;
    dev_t device; /* what is mounted below it is left alone */
    const char *why;
    char name[256]; /* of what could not be given */
};

static bool take_id(const char **text, unsigned long *ret_id)
{
    char *end = NULL;
    errno = 0;
    *ret_id = strtoul(*text, &end, 10);
    bool good = **text >= '0' && **text <= '9' && errno == 0 && *ret_id < UINT_MAX;
    *text = end;
    return good;
}

/* "10001" or "10001:10001". */
static bool take_owner(struct request *request, const char *text)
{
    const char *at = text;
    unsigned long user = 0, group = 0;
    bool good = take_id(&at, &user);
    group = user;
    if (good && *at == ':') {
        at++;
        good = take_id(&at, &group);
    }
    if (!good || *at != '\0') {
        fprintf(stderr, "holdfast init-dir: --owner %s: expected numbers, UID or UID:GID\n", text);
        return false;
    }
    request->user = (uid_t)user;
    request->group = (gid_t)group;
    request->has_owner = true;
    return true;
}

static bool parse(int count, char **arguments, struct request *request)
{
    struct option options[HF_CLI_OPTIONS_MAX + 1];
    int option;
    hf_cli_long_options(hf_cli_find("init-dir"), options);
    while ((option = getopt_long(count, arguments, "h", options, NULL)) != -1) {
        if (option == HF_CLI_HELP || option == 'h') {
            request->help = true;
        } else if (option != HF_CLI_OWNER || !take_owner(request, optarg)) {
            return false;
        }
    }
    request->directory = optind < count ? arguments[optind] : NULL;
    return request->help ||
           (optind + 1 == count && request->has_owner && request->directory[0] != '\0');
}

static bool make(const char *directory)
{
    char path[PATH_MAX];
    if (strlen(directory) >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(path, sizeof(path), "%s", directory);
    for (char *slash = path; (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        if (mkdir(path, PARENT_MODE) < 0 && errno != EEXIST) {
            return false;
        }
        *slash = '/';
    }
    return mkdir(path, OWN_MODE) == 0 || errno == EEXIST;
}

static bool fail(struct giving *giving, const char *name)
{
    giving->why = strerror(errno);
    snprintf(giving->name, sizeof(giving->name), "%s", name);
    return false;
}

static bool give(struct giving *giving, int fd, const char *name, unsigned depth);

static bool give_children(struct giving *giving, int parent, const char *name, unsigned depth)
{
    int fd = depth < DEPTH_MAX ? openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (directory == NULL) {
        errno = depth < DEPTH_MAX ? errno : ELOOP;
        fail(giving, name);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    bool good = true;
    const struct dirent *entry;
    while (good && (errno = 0, entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            int child = openat(fd, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
            good = child >= 0 || errno == ENOENT ? true : fail(giving, entry->d_name);
            if (child >= 0) {
                good = give(giving, child, entry->d_name, depth + 1);
                close(child);
            }
        }
    }
    good = good && (errno == 0 || fail(giving, name));
    closedir(directory);
    return good;
}

/* `fd` was opened with O_PATH, so that what it names cannot change meanwhile. A directory comes
 * after what is in it: the owner of the topmost one says that all of it is done. */
static bool give(struct giving *giving, int fd, const char *name, unsigned depth)
{
    struct stat info;
    if (fstat(fd, &info) < 0) {
        return fail(giving, name);
    }
    bool is_directory = S_ISDIR(info.st_mode);
    if (info.st_dev != giving->device) {
        return true;
    }
    if (!is_directory && info.st_nlink > 1) { /* it may be a file of another user */
        fprintf(stderr, "holdfast init-dir: %s has another name elsewhere; its owner stays\n",
                name);
        return true;
    }
    const struct request *request = giving->request;
    bool is_given = info.st_uid == request->user && info.st_gid == request->group;
    if (is_directory && !(is_given && depth == 0) && !give_children(giving, fd, name, depth)) {
        return false;
    }
    return is_given || fchownat(fd, "", request->user, request->group, AT_EMPTY_PATH) == 0 ||
           fail(giving, name);
}

enum hf_exit hf_init_dir_cli(int count, char **arguments)
{
    struct request request = {.directory = NULL};
    if (!parse(count, arguments, &request)) {
        hf_cli_help(hf_cli_find("init-dir"), stderr);
        return HF_EXIT_USAGE;
    }
    if (request.help) {
        hf_cli_help(hf_cli_find("init-dir"), stdout);
        return HF_EXIT_OK;
    }
    struct giving giving = {.request = &request};
    struct stat info;
    int fd = make(request.directory)
                 ? open(request.directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                 : -1;
    if (fd < 0 || fstat(fd, &info) < 0) {
        fprintf(stderr, "holdfast init-dir: %s: %s\n", request.directory, strerror(errno));
        return HF_EXIT_FAILED;
    }
    giving.device = info.st_dev;
    bool good = give(&giving, fd, request.directory, 0);
    close(fd);
    if (!good) {
        fprintf(stderr, "holdfast init-dir: %s cannot be given to %u:%u: %s: %s\n",
                request.directory, (unsigned)request.user, (unsigned)request.group, giving.name,
                giving.why);
        return HF_EXIT_FAILED;
    }
    printf("%s is of %u:%u\n", request.directory, (unsigned)request.user, (unsigned)request.group);
    return HF_EXIT_OK;
}
