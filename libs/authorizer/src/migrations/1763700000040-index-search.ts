import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What lets the list of authorizers be filtered and searched in a time that does not grow with it. Triggers keep it, so that no writer
 * can forget to.
 */
export class IndexSearch1763700000040 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // A million records take longer than any statement of the application may.
    await queryRunner.query('set local statement_timeout = 0');
    await queryRunner.query(CREATE_SEARCH_TERM);
    // One number for the three filters of few values. The codes are stored: append to the lists, never reorder them.
    await queryRunner.query(`
      create function authorizer_segment(status text, account_type text, attention text) returns smallint
      language sql immutable parallel safe as $$
        select (
          256 * coalesce(array_position(array['pending', 'authorized', 'unauthorized'], status), 0)
          + 16 * coalesce(array_position(array['official_account', 'service_account', 'mini_program', 'channels', 'store', 'talent', 'unknown'], account_type), 0)
          + coalesce(array_position(array['reauthorization_required', 'account_frozen', 'profile_unavailable'], attention), 0)
        )::smallint $$`);
    await queryRunner.query(`
      alter table authorizer add column segment smallint not null
        generated always as (authorizer_segment(status, account_type, attention)) stored`);
    await queryRunner.query(`create index ix_authorizer_segment on authorizer (component_app_id, segment, (-id))`);
    await queryRunner.query(`
      create index ix_authorizer_tenant on authorizer (component_app_id, tenant_id, segment, (-id))
        where tenant_id is not null`);
    // previous_term is the same account's next smaller term: with it a search tells the first term that fits from the others.
    await queryRunner.query(`
      create table authorizer_term (
        authorizer_id    bigint not null,
        component_app_id text not null,
        segment          smallint not null,
        tenant_id        text,
        term             text collate "C" not null,
        previous_term    text collate "C",
        constraint pk_authorizer_term primary key (authorizer_id, term)
      )`);
    await queryRunner.query(`
      create table authorizer_permission (
        component_app_id text not null,
        permission_id    integer not null,
        segment          smallint not null,
        authorizer_id    bigint not null,
        tenant_id        text,
        constraint pk_authorizer_permission primary key (component_app_id, permission_id, segment, authorizer_id)
      )`);
    for (const statement of FILL_SEARCH) await queryRunner.query(statement);
    // With previous_term in the index a search never visits the table, and no other plan is cheaper, whatever the statistics say.
    await queryRunner.query(`
      create index ix_authorizer_term
        on authorizer_term (component_app_id, segment, term, authorizer_id) include (previous_term)`);
    await queryRunner.query(`
      create index ix_authorizer_term_tenant
        on authorizer_term (component_app_id, tenant_id, segment, term, authorizer_id) include (previous_term)
        where tenant_id is not null`);
    await queryRunner.query(`
      create index ix_authorizer_permission_tenant
        on authorizer_permission (component_app_id, tenant_id, permission_id, segment, authorizer_id)
        where tenant_id is not null`);
    await queryRunner.query(KEEP_SEARCH);
    await queryRunner.query(`
      create trigger tr_authorizer_search
        after insert or delete or update of
          status, account_type, attention, tenant_id, nick_name, principal_name, user_name, permission_ids
        on authorizer for each row execute function keep_authorizer_search()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop trigger tr_authorizer_search on authorizer');
    await queryRunner.query('drop function keep_authorizer_search()');
    await queryRunner.query('drop table authorizer_permission');
    await queryRunner.query('drop table authorizer_term');
    await queryRunner.query('drop index ix_authorizer_tenant');
    await queryRunner.query('alter table authorizer drop column segment');
    await queryRunner.query('drop function authorizer_segment(text, text, text)');
    await queryRunner.query('drop function search_term(text)');
  }
}

/**
 * How names are compared: full-width letters as ordinary ones, capitals as small ones. lower() follows the locale of the cluster unless
 * it is told another: ICU's root where it is built in, else what PostgreSQL 17 brings along, else only a-z.
 */
const CREATE_SEARCH_TERM = `
do $do$
declare
  rules text := coalesce(
    (select quote_ident(collname) from pg_collation where collname in ('und-x-icu', 'pg_c_utf8')
     order by collname = 'und-x-icu' desc limit 1),
    '"C"');
begin
  execute format($sql$
    create function search_term(name text) returns text language sql immutable strict parallel safe as $fn$
      select left(btrim(lower(normalize(name, NFKC) collate %s)), 100) $fn$ $sql$, rules);
end $do$`;

/** Fills the tables of search from the records at once, where they are empty. */
export const FILL_SEARCH = [
  `insert into authorizer_term (authorizer_id, component_app_id, segment, tenant_id, term, previous_term)
   select id, component_app_id, segment, tenant_id, term, lag(term) over (partition by id order by term)
   from (
     select distinct a.id, a.component_app_id, a.segment, a.tenant_id, search_term(name) collate "C" as term
     from authorizer a cross join lateral unnest(array[a.app_id, a.nick_name, a.principal_name, a.user_name]) as name
   ) as named
   where term <> ''`,
  `insert into authorizer_permission (component_app_id, permission_id, segment, authorizer_id, tenant_id)
   select distinct component_app_id, permission_id, segment, id, tenant_id
   from authorizer cross join lateral unnest(permission_ids) as permission_id`,
];

const KEEP_SEARCH = `
create function keep_authorizer_search() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' and (tg_op = 'DELETE' or (old.segment, old.tenant_id, old.permission_ids) is distinct from (new.segment, new.tenant_id, new.permission_ids)) then
    delete from authorizer_permission
    where component_app_id = old.component_app_id and segment = old.segment and authorizer_id = old.id
      and permission_id = any (old.permission_ids);
  end if;
  if tg_op = 'DELETE' then
    delete from authorizer_term where authorizer_id = old.id;
    return null;
  end if;
  if tg_op = 'INSERT' or (old.segment, old.tenant_id, old.permission_ids) is distinct from (new.segment, new.tenant_id, new.permission_ids) then
    insert into authorizer_permission (component_app_id, permission_id, segment, authorizer_id, tenant_id)
    select distinct new.component_app_id, permission_id, new.segment, new.id, new.tenant_id
    from unnest(new.permission_ids) as permission_id;
  end if;
  if tg_op = 'INSERT'
    or (old.nick_name, old.principal_name, old.user_name) is distinct from (new.nick_name, new.principal_name, new.user_name) then
    delete from authorizer_term where authorizer_id = new.id;
    insert into authorizer_term (authorizer_id, component_app_id, segment, tenant_id, term, previous_term)
    select new.id, new.component_app_id, new.segment, new.tenant_id, term, lag(term) over (order by term)
    from (
      select distinct search_term(name) collate "C" as term
      from unnest(array[new.app_id, new.nick_name, new.principal_name, new.user_name]) as name
    ) as named
    where term <> '';
  elsif (old.segment, old.tenant_id) is distinct from (new.segment, new.tenant_id) then
    update authorizer_term set segment = new.segment, tenant_id = new.tenant_id where authorizer_id = new.id;
  end if;
  return null;
end $$`;
