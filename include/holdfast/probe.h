/*
 * probe: how a component names what it needs from outside the process: servers, files, sockets,
 * rights. `holdfast check` passes one to the `probe` of each component in use and prints the
 * results.
 *
 * A component calls the functions below in the order in which its needs depend on each other;
 * src/support/probe_*.h has those for its client and server settings. All of it runs on the main
 * thread, before anything is opened, and takes a bounded time.
 */
#pragma once

#include <stdbool.h>

struct hf_probe;

enum hf_probe_result {
    HF_PROBE_OK = 0,
    HF_PROBE_WARNING, /* works, or could not be tried; a person should know */
    HF_PROBE_FAILED
};

/* One line of the result: `step` is a word such as "dns" or "file", `target` the server or file
 * that was tried; the rest is the finding. */
void hf_probe_say(struct hf_probe *probe, const char *step, const char *target,
                  enum hf_probe_result result, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Exporter: an empty request is sent to the backend, by the exporter's own `send`. */
void hf_probe_export(struct hf_probe *probe);

/* Can that endpoint be listened on (as hf_node_listen())? */
void hf_probe_listen(struct hf_probe *probe, const char *endpoint);

/* Can the file or folder be read? Can the file be written, or made where it is not there yet?
 * NULL and "" are nothing. */
void hf_probe_read(struct hf_probe *probe, const char *path);
void hf_probe_write(struct hf_probe *probe, const char *path);
