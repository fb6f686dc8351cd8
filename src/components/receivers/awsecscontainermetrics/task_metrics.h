/*
 * task_metrics: one task of ECS and its containers as metrics, of what the task metadata endpoint
 * answers to /task and /task/stats. The scraper's thread.
 */
#pragma once

#include "pdata/build_metrics.h"
#include "json/json.h"

/* Appends a resource for each container that runs or has ended, and one for the task, which has the
 * sums of its containers and its own limits. How many points there are. */
uint32_t ecs_task_write(struct hf_builder *builder, const struct hf_json *task,
                        const struct hf_json *stats, uint64_t now_ns);
