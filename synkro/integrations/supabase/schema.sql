-- Synkro tables, schema version 1.
-- Paste all of this into the Supabase SQL editor and press Run.
-- It is safe to run again: it adds what is missing and never deletes data.

create table if not exists public.synkro_meta (
  key text not null,
  value text not null,
  updated_at timestamptz not null default now(),
  primary key (key)
);

create table if not exists public.synkro_leads (
  account_id bigint not null,
  lead_id bigint not null,
  name text not null,
  price numeric,
  pipeline_id bigint not null,
  status_id bigint not null,
  responsible_user_id bigint,
  loss_reason_id bigint,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  closed_at timestamptz,
  is_deleted boolean not null default false,
  contact_ids jsonb not null default '[]',
  raw jsonb,
  run_id uuid,
  fetched_at timestamptz not null default now(),
  primary key (account_id, lead_id)
);

create table if not exists public.synkro_contacts (
  account_id bigint not null,
  contact_id bigint not null,
  name text not null,
  phones jsonb not null default '[]',
  numbers jsonb not null default '[]',
  updated_at timestamptz,
  raw jsonb,
  run_id uuid,
  fetched_at timestamptz not null default now(),
  primary key (account_id, contact_id)
);

create table if not exists public.synkro_chats (
  connection_id bigint not null,
  chat_id bigint not null,
  contact_id bigint,
  source_chat_id text,
  name text not null,
  phone text,
  username text,
  is_group boolean not null default false,
  last_at timestamptz,
  matched_lead_id bigint,
  matched_by text,
  raw jsonb,
  run_id uuid,
  fetched_at timestamptz not null default now(),
  primary key (connection_id, chat_id)
);

create table if not exists public.synkro_messages (
  connection_id bigint not null,
  message_id text not null,
  chat_id bigint not null,
  position bigint not null,
  sent_at timestamptz not null,
  direction text not null check (direction in ('in', 'out')),
  kind text not null,
  body text not null,
  failed boolean not null default false,
  raw jsonb,
  run_id uuid,
  fetched_at timestamptz not null default now(),
  primary key (connection_id, message_id)
);

create table if not exists public.synkro_analyses (
  run_id uuid not null,
  seq integer not null,
  model text not null,
  prompt_hash text not null,
  outcome text not null,
  answer jsonb,
  tokens_in integer not null default 0,
  tokens_out integer not null default 0,
  created_at timestamptz not null default now(),
  primary key (run_id, seq)
);

create table if not exists public.synkro_reports (
  report_id uuid not null,
  run_id uuid,
  kind text not null,
  window_start timestamptz not null,
  window_end timestamptz not null,
  body_markdown text not null,
  summary text not null,
  figures jsonb not null default '{}',
  findings jsonb not null default '[]',
  coverage jsonb not null default '{}',
  model text,
  created_at timestamptz not null default now(),
  primary key (report_id)
);

-- Columns that came after version 1 are added here, because an existing table gains none above:
-- alter table public.synkro_leads add column if not exists ...

create index if not exists synkro_leads_updated_idx on public.synkro_leads (updated_at);
create index if not exists synkro_chats_contact_idx on public.synkro_chats (contact_id);
create index if not exists synkro_chats_last_idx on public.synkro_chats (last_at);
create index if not exists synkro_messages_chat_idx on public.synkro_messages (connection_id, chat_id, sent_at);
create index if not exists synkro_reports_created_idx on public.synkro_reports (created_at);

-- No policies on purpose: only the secret key (service_role) passes.
alter table public.synkro_meta enable row level security;
alter table public.synkro_leads enable row level security;
alter table public.synkro_contacts enable row level security;
alter table public.synkro_chats enable row level security;
alter table public.synkro_messages enable row level security;
alter table public.synkro_analyses enable row level security;
alter table public.synkro_reports enable row level security;

revoke all on public.synkro_meta from anon, authenticated;
revoke all on public.synkro_leads from anon, authenticated;
revoke all on public.synkro_contacts from anon, authenticated;
revoke all on public.synkro_chats from anon, authenticated;
revoke all on public.synkro_messages from anon, authenticated;
revoke all on public.synkro_analyses from anon, authenticated;
revoke all on public.synkro_reports from anon, authenticated;

grant select, insert, update, delete on public.synkro_meta to service_role;
grant select, insert, update, delete on public.synkro_leads to service_role;
grant select, insert, update, delete on public.synkro_contacts to service_role;
grant select, insert, update, delete on public.synkro_chats to service_role;
grant select, insert, update, delete on public.synkro_messages to service_role;
grant select, insert, update, delete on public.synkro_analyses to service_role;
grant select, insert, update, delete on public.synkro_reports to service_role;

insert into public.synkro_meta (key, value, updated_at)
  values ('schema_version', '1', now())
  on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at
  where synkro_meta.value is distinct from excluded.value;

notify pgrst, 'reload schema';
