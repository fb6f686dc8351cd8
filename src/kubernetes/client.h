/*
 * client: one connection of the process to a Kubernetes API: a thread with its loop and an HTTP
 * client, shared by all components that sign in the same way.
 *
 * open and close: any thread but the client's own. run: any thread.
 */
#pragma once

#include <holdfast/status.h>

#include "access.h"

struct hf_kube_client;
struct hf_kube_watch;
struct hf_http_client;
struct hf_loop;

/* On failure `reterr` (HF_ERROR_MAX) is one sentence with what to do. */
HF_MUST_USE enum hf_status hf_kube_client_open(const struct hf_kube_config *config,
                                               struct hf_kube_client **ret_client, char *reterr);
/* The same of a server that the caller has found: a kubelet. Takes over `access`. */
HF_MUST_USE enum hf_status hf_kube_client_open_at(struct hf_kube_access *access,
                                                  struct hf_kube_client **ret_client, char *reterr);
/* No watch of the caller's may be left. The last one ends the thread. NULL is nothing. */
void hf_kube_client_close(struct hf_kube_client *client);

struct hf_loop *hf_kube_client_loop(const struct hf_kube_client *client);
/* Runs `function` on the client's thread and waits for its end; on that thread, at once. */
void hf_kube_client_run(struct hf_kube_client *client, void (*function)(void *user), void *user);

/* ---- on the client's thread ---- */

const struct hf_kube_access *hf_kube_client_access(const struct hf_kube_client *client);
struct hf_http_client *hf_kube_client_http(const struct hf_kube_client *client);
/* Where watch.c keeps what is shared. */
struct hf_kube_watch **hf_kube_client_watches(struct hf_kube_client *client);
/* Uniform in [0, 1). */
double hf_kube_client_draw(struct hf_kube_client *client);
