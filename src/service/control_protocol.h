/*
 * control_protocol: how `holdfast queue` speaks with a running process over DIR/control.
 *
 * The request is the command's words, each ended by a zero byte, then one more zero byte. The
 * answer is text to print; its last byte is the exit code. A stream that ends without one was cut
 * off.
 */
#pragma once

#include <stddef.h>

#define HF_CONTROL_REQUEST_MAX 4096
#define HF_CONTROL_WORDS_MAX 32

/* Connects to (or, with `listening`, listens on) the control socket of a data directory, of any
 * path length. -1: errno. */
int hf_control_socket(const char *directory, int listening);
