/*
 * victim: one scene in a process of its own, to be killed. Exits 0 when all was done; what happened
 * is in the truth.
 *
 *   crash_victim fill|drain|verify DIR TRUTH FIRST COUNT [patient]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: crash_victim fill|drain|verify DIR TRUTH FIRST COUNT [patient]\n");
        return 2;
    }
    struct scene_options options = {
        .directory = argv[2],
        .truth_fd = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
        .first = strtoull(argv[4], NULL, 10),
        .count = (unsigned)strtoul(argv[5], NULL, 10),
        .is_patient = argc > 6 && strcmp(argv[6], "patient") == 0,
    };
    if (options.truth_fd < 0) {
        perror(argv[3]);
        return 2;
    }
    if (strcmp(argv[1], "fill") == 0) {
        scene_fill(&options);
    } else if (strcmp(argv[1], "drain") == 0) {
        scene_drain(&options);
    } else if (strcmp(argv[1], "verify") == 0) {
        scene_verify(&options);
    } else {
        return 2;
    }
    return 0;
}
