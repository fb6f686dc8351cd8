#include "my_plans.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "support/scrape/plan_mask.h"
#include "support/scrape/sql_mask.h"
#include "util/hash.h"
#include "util/time/clock.h"

#define WITH_SAMPLES 80003ul
#define DIGEST_MAX 64u
#define SCHEMA_BYTES 256u /* 64 characters */
#define CUT_OFF "..."     /* at the end of a statement that the server kept a part of */

static const char *const explained[] = {"select", "delete", "insert", "replace",
                                        "update", "with",   NULL};

/* The parts that hold others, and what no value of a statement can stand in. What is not in a kept
 * part is the text of the query, if anything. */
static const char *const kept[] = {"access_type",
                                   "cost_info",
                                   "covering",
                                   "estimated_rows",
                                   "inputs",
                                   "query_type",
                                   "estimated_total_cost",
                                   "filter_columns",
                                   "index_name",
                                   "limit",
                                   "index_access_type",
                                   "json_schema_version",
                                   "limit_offset",
                                   "query_block",
                                   "ordering_operation",
                                   "per_chunk_limit",
                                   "query_plan",
                                   "row_ids",
                                   "schema_name",
                                   "select_id",
                                   "sort_fields",
                                   "table",
                                   "table_name",
                                   "used_columns",
                                   "using_filesort",
                                   NULL};

static const char *const masked[] = {"attached_condition",
                                     "condition",
                                     "exact_index_condition",
                                     "exists_condition",
                                     "having_condition",
                                     "index_condition",
                                     "index_condition_bka",
                                     "message",
                                     "operation",
                                     "pushed_condition",
                                     "query",
                                     "ranges",
                                     "sort_key",
                                     NULL};

static const struct hf_plan_keys keys = {
    .kept = kept, .masked = masked, .flags = HF_SQL_MYSQL | HF_SQL_BARE};

/* One that is looked for. */
struct search {
    const struct my_form *form;
    struct hf_bytes statement, plan; /* as the server says it */
};

bool my_plans_has_samples(const struct my_server *server)
{
    return !hf_mysql_is_mariadb(server->mysql) && hf_mysql_version(server->mysql) >= WITH_SAMPLES;
}

static enum hf_status ask(struct my_plans *plans, const char *query,
                          void (*take)(void *user, const struct hf_mysql_row *row),
                          struct search *search)
{
    char why[HF_ERROR_MAX];
    enum hf_status status =
        hf_mysql_ask(plans->server->mysql, query, plans->patience, take, search, why);
    plans->is_lost = plans->is_lost || (status != HF_OK && status != HF_INVALID);
    if (status != HF_OK && status != HF_CLOSED && !plans->has_said) {
        hf_scrape_failed(plans->scrape, 0, 0, "no plan of a statement of the schema %.*s: %s",
                         (int)search->form->schema.size, (const char *)search->form->schema.data,
                         why);
        plans->has_said = true;
    }
    return status;
}

/* ---- a statement of the form ---- */

static void take_statement(void *user, const struct hf_mysql_row *row)
{
    struct search *search = user;
    if (search->statement.size == 0 &&
        hf_slice_equal(hf_mysql_text(row, 1), search->form->schema)) {
        (void)!hf_bytes_append(&search->statement, hf_mysql_text(row, 0));
    }
}

static bool is_digest(struct hf_slice digest)
{
    size_t i = 0;
    while (i < digest.size && isxdigit(digest.data[i])) {
        i++;
    }
    return digest.size != 0 && i == digest.size && digest.size <= DIGEST_MAX;
}

/* Into `statement`: that of the form, or one of the latest. */
static enum hf_status find_statement(struct my_plans *plans, struct search *search)
{
    struct hf_slice digest = search->form->digest;
    char query[256];
    if (search->form->statement.size != 0) {
        return hf_bytes_append(&search->statement, search->form->statement);
    }
    if (my_plans_has_samples(plans->server) || !is_digest(digest)) {
        return HF_OK;
    }
    snprintf(query, sizeof(query),
             "SELECT SQL_TEXT, CURRENT_SCHEMA FROM performance_schema.events_statements_history "
             "WHERE DIGEST = '%.*s' AND SQL_TEXT IS NOT NULL",
             (int)digest.size, (const char *)digest.data);
    return ask(plans, query, take_statement, search);
}

static bool can_be_explained(struct hf_slice statement)
{
    size_t cut = strlen(CUT_OFF);
    return hf_sql_begins_with(statement, explained, true) &&
           (statement.size < cut ||
            memcmp(statement.data + statement.size - cut, CUT_OFF, cut) != 0);
}

/* ---- its plan ---- */

static void take_plan(void *user, const struct hf_mysql_row *row)
{
    struct search *search = user;
    search->plan.size = 0;
    (void)!hf_bytes_append(&search->plan, hf_mysql_text(row, 0));
}

static void take_nothing(void *user, const struct hf_mysql_row *row)
{
    (void)user;
    (void)row;
}

/* Names without a schema are looked up in the one that the statement was run in. */
static enum hf_status use_schema(struct my_plans *plans, struct search *search)
{
    char query[sizeof("USE ``") + 2 * SCHEMA_BYTES] = "USE `";
    struct hf_slice schema = search->form->schema;
    size_t size = strlen(query);
    if (schema.size == 0) {
        return HF_OK;
    }
    if (schema.size > SCHEMA_BYTES) {
        return HF_INVALID;
    }
    for (size_t i = 0; i < schema.size; i++) {
        if (schema.data[i] == '`') {
            query[size++] = '`';
        }
        query[size++] = (char)schema.data[i];
    }
    query[size++] = '`';
    query[size] = '\0';
    return ask(plans, query, take_nothing, search);
}

static enum hf_status explain(struct my_plans *plans, struct search *search)
{
    struct hf_slice statement = hf_slice_of(search->statement.data, search->statement.size);
    struct hf_bytes query = {.size = 0};
    if (!can_be_explained(statement)) {
        return HF_OK;
    }
    enum hf_status status = use_schema(plans, search);
    if (status == HF_OK) {
        status = hf_bytes_append(&query, hf_slice_text("EXPLAIN FORMAT=JSON "));
    }
    if (status == HF_OK) {
        status = hf_bytes_append(&query, statement);
    }
    if (status == HF_OK) {
        status = hf_bytes_append(&query, hf_slice_of("", 1));
    }
    if (status == HF_OK) {
        status = ask(plans, (const char *)query.data, take_plan, search);
    }
    hf_bytes_release(&query);
    return status;
}

/* Keeps the plan, or that there is none, unless no statement of the form is known yet. */
static void search_for(struct my_plans *plans, struct search *search, uint64_t hash)
{
    struct hf_bytes plan = {.size = 0};
    bool has_statement = find_statement(plans, search) == HF_OK && search->statement.size != 0;
    enum hf_status status = has_statement ? explain(plans, search) : HF_INVALID;
    if (has_statement && (status == HF_OK || status == HF_INVALID)) {
        struct hf_slice answer = hf_slice_of(search->plan.data, search->plan.size);
        bool is_whole = answer.size != 0 && hf_plan_mask(answer, &keys, &plan) == HF_OK;
        hf_plans_keep(plans->known, hash, hf_clock_monotonic_ns(),
                      hf_slice_of(plan.data, is_whole ? plan.size : 0));
    }
    hf_bytes_release(&plan);
}

struct hf_slice my_plans_get(struct my_plans *plans, const struct my_form *form)
{
    uint64_t hash = hf_hash_pair(form->schema, form->digest).low;
    struct search search = {.form = form};
    struct hf_slice plan;
    if (hf_plans_find(plans->known, hash, hf_clock_monotonic_ns(), &plan) || plans->is_lost) {
        return plan;
    }
    search_for(plans, &search, hash);
    hf_bytes_release(&search.statement);
    hf_bytes_release(&search.plan);
    (void)!hf_plans_find(plans->known, hash, hf_clock_monotonic_ns(), &plan);
    return plan;
}
