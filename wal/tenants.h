/*
 * tenants: how much disk the records of each tenant take, so that one of them cannot have all of a
 * queue. A tenant is a number of the caller's; 0 is none.
 *
 * Disk comes back by segments, so each segment has a table of what each tenant has in it, stored in
 * a row that is written with each group; an earlier version passes it over. The queue's totals are
 * the sums of those of its segments, and of what is admitted and not committed yet. The tables of
 * the segments that an opening finds are read by the janitor, one after another; until then they
 * count as no tenant's. Guarded by the queue's lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "head.h"
#include "wal.h"

/* The row below that of the origin. */
#define WAL_KEY_TENANTS (WAL_KEY_ORIGIN - 1)
/* Tenants of one segment, so that the row stays within a leaf page; the others of it count together
 * as WAL_TENANT_REST. */
#define WAL_TENANTS_MAX 120u
#define WAL_TENANT_REST UINT64_MAX

struct wal_tenant_bytes {
    uint64_t tenant, bytes;
};

/* Of a segment. */
struct wal_tenant_table {
    uint32_t count;
    struct wal_tenant_bytes items[WAL_TENANTS_MAX + 1];
};

#define WAL_TENANT_ROW_MAX (16u + (WAL_TENANTS_MAX + 1u) * sizeof(struct wal_tenant_bytes))

/* Whom the bytes of a tenant are counted for: itself, or WAL_TENANT_REST when the table is full. */
uint64_t wal_tenant_of(const struct wal_tenant_table *table, uint64_t tenant);
void wal_tenant_table_add(struct wal_tenant_table *table, uint64_t tenant, uint64_t bytes);

/* The stored form; `ret_row` has room for WAL_TENANT_ROW_MAX. */
size_t wal_tenant_row_write(const struct wal_tenant_table *table, uint8_t *ret_row);
/* False: it is none, or damaged. */
bool wal_tenant_row_read(struct hf_slice row, struct wal_tenant_table *ret_table);
/* The table of a stored segment. False: it has none, or it cannot be read. Any thread. */
bool wal_tenant_table_load(int directory_fd, const char *name, struct wal_tenant_table *ret_table);

/* Of the queue: a hash table that grows with the tenants that its segments have. */
struct wal_tenants {
    struct wal_tenant_bytes *items;
    size_t room, used; /* a power of two, or 0; `used` of them have a tenant */
};

void wal_tenants_release(struct wal_tenants *tenants);
uint64_t wal_tenants_bytes(const struct wal_tenants *tenants, uint64_t tenant);
/* WAL_NOMEM. */
WAL_MUST_USE enum wal_status wal_tenants_add(struct wal_tenants *tenants, uint64_t tenant,
                                             uint64_t bytes);
/* Of what was added before; less is there when its segment was not read. */
void wal_tenants_remove(struct wal_tenants *tenants, uint64_t tenant, uint64_t bytes);
