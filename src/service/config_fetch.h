/*
 * config_fetch: the text of a configuration behind a URL, for --config http://... and https://...
 * Main thread, or a command's; no state.
 */
#pragma once

#include <holdfast/status.h>

/*
 * GETs `url`, by the system's authorities and the proxy of the environment, and waits for 5 s at
 * most. Malloc'd; NULL with a sentence in `reterr` (HF_ERROR_MAX): no answer, another code than
 * 200, more than a source may have, or a NUL in it.
 */
HF_MUST_USE char *hf_config_fetch(const char *url, char *reterr);
