/*
 * occupied: what stands where a socket is to be made, in words. No state; any thread.
 */
#pragma once

/* Why bind() said EADDRINUSE of `path`, and what to do: a half sentence. */
const char *hf_occupied_by(const char *path);
