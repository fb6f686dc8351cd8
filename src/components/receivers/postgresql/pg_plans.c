#include "pg_plans.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "support/scrape/metric_points.h"
#include "support/scrape/plan_mask.h"
#include "support/scrape/sql_mask.h"
#include "util/hash.h"
#include "util/time/clock.h"

#define OLDEST 120000      /* plan_cache_mode is from 12 on */
#define DATABASE_BYTES 256 /* NAMEDATALEN is 64 */
#define MARKS_MAX 1600     /* parameters of a statement that are looked at */

/* What has a plan; the words are compared with the first one of a statement. */
static const char *const explained[] = {"select", "table", "delete", "insert", "update",
                                        "with",   "merge", "values", NULL};

/* The keys under which no value of a statement can stand: names, numbers of the planner, kinds of
 * nodes; in generic plans the values in sort keys and expressions are marks. */
static const char *const kept[] = {"Alias",
                                   "Async Capable",
                                   "CTE Name",
                                   "Command",
                                   "Conflict Arbiter Indexes",
                                   "Conflict Resolution",
                                   "Constraint Name",
                                   "Custom Plan Provider",
                                   "Disabled",
                                   "Expressions",
                                   "Foreign Delete",
                                   "Foreign Insert",
                                   "Foreign Update",
                                   "Function Name",
                                   "Group Key",
                                   "Grouping Sets",
                                   "Index Name",
                                   "Inner Unique",
                                   "Join Type",
                                   "Node Type",
                                   "Operation",
                                   "Parallel Aware",
                                   "Parent Relationship",
                                   "Partial Mode",
                                   "Plan Rows",
                                   "Plan Width",
                                   "Planned Partitions",
                                   "Presorted Key",
                                   "Query Identifier",
                                   "Relation Name",
                                   "Sampling Method",
                                   "Scan Direction",
                                   "Schema",
                                   "Single Copy",
                                   "Sort Key",
                                   "Startup Cost",
                                   "Strategy",
                                   "Subplan Name",
                                   "Subplans Removed",
                                   "Target Tables",
                                   "Total Cost",
                                   "Tuplestore Name",
                                   "Workers Planned",
                                   NULL};

static const char *const masked[] = {"Cache Key",
                                     "Conflict Filter",
                                     "Filter",
                                     "Function Call",
                                     "Hash Cond",
                                     "Index Cond",
                                     "Join Filter",
                                     "Merge Cond",
                                     "One-Time Filter",
                                     "Order By",
                                     "Output",
                                     "Recheck Cond",
                                     "Repeatable Seed",
                                     "Run Condition",
                                     "Sampling Parameters",
                                     "TID Cond",
                                     NULL};

static const struct hf_plan_keys keys = {.kept = kept, .masked = masked, .flags = HF_SQL_BARE};

/* The forms of one database. */
struct asking {
    const struct pg_plans *plans;
    struct hf_slice database;
    struct hf_pg *pg;       /* NULL: not connected */
    struct hf_bytes answer; /* the server's plan */
    int64_t marks;
    bool has_said; /* why a form has no plan */
};

uint64_t pg_plans_hash(const struct hf_statement_row *row)
{
    return hf_hash_pair(row->texts[PG_TOP_DATABASE], row->texts[PG_TOP_ID]).low;
}

static void say(struct asking *asking, const char *why)
{
    if (!asking->has_said) {
        hf_scrape_failed(asking->plans->scrape, 0, 0,
                         "no plan of a statement of the database %.*s: %s",
                         (int)asking->database.size, (const char *)asking->database.data, why);
    }
    asking->has_said = true;
}

/* ---- one statement ---- */

static void take_marks(void *user, const struct hf_pg_row *row)
{
    struct asking *asking = user;
    (void)!hf_read_int(hf_pg_text(row, 0), &asking->marks);
}

static void take_plan(void *user, const struct hf_pg_row *row)
{
    struct asking *asking = user;
    asking->answer.size = 0;
    (void)!hf_bytes_append(&asking->answer, hf_pg_text(row, 0));
}

static void take_nothing(void *user, const struct hf_pg_row *row)
{
    (void)user;
    (void)row;
}

static enum hf_status ask(struct asking *asking, const char *query,
                          void (*take)(void *user, const struct hf_pg_row *row))
{
    char why[HF_ERROR_MAX];
    enum hf_status status =
        hf_pg_ask(asking->pg, query, asking->plans->patience, take, asking, why);
    if (status != HF_OK && status != HF_CLOSED) {
        say(asking, why);
    }
    return status;
}

static enum hf_status prepare(struct asking *asking, struct hf_slice statement)
{
    struct hf_bytes query = {.size = 0};
    enum hf_status status = HF_NOMEM;
    if (hf_bytes_append(&query, hf_slice_text("PREPARE holdfast_plan AS ")) == HF_OK &&
        hf_bytes_append(&query, statement) == HF_OK &&
        hf_bytes_append(&query, hf_slice_of("", 1)) == HF_OK) {
        status = ask(asking, (const char *)query.data, take_nothing);
    }
    hf_bytes_release(&query);
    return status;
}

static enum hf_status explain(struct asking *asking)
{
    static const char begin[] = "EXPLAIN (FORMAT JSON) EXECUTE holdfast_plan",
                      count[] = "SELECT cardinality(parameter_types) FROM pg_prepared_statements "
                                "WHERE name = 'holdfast_plan'";
    char query[sizeof(begin) + 8 + 5 * MARKS_MAX];
    size_t size = sizeof(begin) - 1;
    asking->marks = -1;
    enum hf_status status = ask(asking, count, take_marks);
    if (status != HF_OK || asking->marks < 0 || asking->marks > MARKS_MAX) {
        return status != HF_OK ? status : HF_INVALID;
    }
    memcpy(query, begin, sizeof(begin));
    for (int64_t i = 0; i < asking->marks; i++) {
        size += (size_t)snprintf(query + size, sizeof(query) - size, "%sNULL", i == 0 ? "(" : ",");
    }
    snprintf(query + size, sizeof(query) - size, "%s", asking->marks != 0 ? ")" : "");
    return ask(asking, query, take_plan);
}

/* Keeps the plan, or that there is none. Anything but HF_OK and HF_INVALID: the connection is of no
 * use. */
static enum hf_status find_plan(struct asking *asking, const struct hf_statement_row *row)
{
    struct hf_bytes plan = {.size = 0};
    asking->answer.size = 0;
    enum hf_status status = prepare(asking, row->texts[PG_TOP_STATEMENT]);
    if (status == HF_OK) {
        status = explain(asking);
        enum hf_status ended = status == HF_OK || status == HF_INVALID
                                   ? ask(asking, "DEALLOCATE holdfast_plan", take_nothing)
                                   : HF_OK;
        status = ended != HF_OK ? ended : status;
    }
    if (status == HF_OK || status == HF_INVALID) {
        struct hf_slice answer = hf_slice_of(asking->answer.data, asking->answer.size);
        bool is_whole = answer.size != 0 && hf_plan_mask(answer, &keys, &plan) == HF_OK;
        hf_plans_keep(asking->plans->known, pg_plans_hash(row), hf_clock_monotonic_ns(),
                      hf_slice_of(plan.data, is_whole ? plan.size : 0));
    }
    hf_bytes_release(&plan);
    return status;
}

/* ---- the statements of a database ---- */

static bool is_looked_at(const struct pg_config *config, struct hf_slice database)
{
    return database.size != 0 && database.size < DATABASE_BYTES &&
           !hf_string_list_has(&config->excluded, database) &&
           (config->databases.count == 0 || hf_string_list_has(&config->databases, database));
}

static enum hf_status connect_to(struct asking *asking)
{
    char name[DATABASE_BYTES], why[HF_ERROR_MAX];
    snprintf(name, sizeof(name), "%.*s", (int)asking->database.size,
             (const char *)asking->database.data);
    enum hf_status status =
        pg_server_connect(asking->plans->server, name, asking->plans->patience, &asking->pg, why);
    if (status != HF_OK) {
        if (status != HF_CLOSED) {
            say(asking, why);
        }
        return status;
    }
    /* Nothing is run, and could not write. */
    status = ask(asking, "SET default_transaction_read_only = on", take_nothing);
    return status == HF_OK ? ask(asking, "SET plan_cache_mode = force_generic_plan", take_nothing)
                           : status;
}

static bool needs_plan(const struct pg_plans *plans, const struct hf_statement_row *row)
{
    struct hf_slice known;
    return hf_sql_begins_with(row->texts[PG_TOP_STATEMENT], explained, false) &&
           !hf_plans_find(plans->known, pg_plans_hash(row), hf_clock_monotonic_ns(), &known);
}

/* Those of the first row's database. `left` is how many may still be asked for. */
static enum hf_status ask_in_database(const struct pg_plans *plans,
                                      const struct hf_statement_row *rows, size_t count,
                                      int64_t *left)
{
    struct asking asking = {.plans = plans, .database = rows[0].texts[PG_TOP_DATABASE]};
    enum hf_status status = HF_OK;
    for (size_t i = 0; i<count && * left> 0 && (status == HF_OK || status == HF_INVALID); i++) {
        if (!hf_slice_equal(rows[i].texts[PG_TOP_DATABASE], asking.database) ||
            !needs_plan(plans, &rows[i])) {
            continue;
        }
        status = asking.pg == NULL ? connect_to(&asking) : HF_OK;
        if (status == HF_OK) {
            status = find_plan(&asking, &rows[i]);
            --*left;
        } else {
            break;
        }
    }
    hf_pg_close(asking.pg);
    hf_bytes_release(&asking.answer);
    return status;
}

static bool is_first_of_database(const struct hf_statement_row *rows, size_t at)
{
    size_t i = 0;
    while (!hf_slice_equal(rows[i].texts[PG_TOP_DATABASE], rows[at].texts[PG_TOP_DATABASE])) {
        i++;
    }
    return i == at;
}

void pg_plans_ask(const struct pg_plans *plans, const struct hf_statement_row *rows, size_t count)
{
    const struct pg_config *config = plans->server->config;
    int64_t left = config->top.plans_max;
    enum hf_status status = HF_OK;
    if (hf_pg_version(plans->server->main) < OLDEST) {
        return;
    }
    for (size_t i = 0; i < count && status != HF_CLOSED && status != HF_DEADLINE; i++) {
        if (is_first_of_database(rows, i) && is_looked_at(config, rows[i].texts[PG_TOP_DATABASE])) {
            status = ask_in_database(plans, rows + i, count - i, &left);
        }
    }
}
