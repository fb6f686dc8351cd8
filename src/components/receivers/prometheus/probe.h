/*
 * probe: what the receiver needs of the world outside: targets that stand in the configuration, and
 * servers and files of discovery. The main thread.
 */
#pragma once

#include <holdfast/probe.h>

void prom_probe(const void *config, struct hf_probe *probe);
