//! Stories told over the public interface; one binary, so that they link once.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod canary_rejects;
#[cfg(test)]
mod cli_convert;
#[cfg(test)]
mod cli_exit;
#[cfg(test)]
mod cli_import_mapping;
#[cfg(test)]
mod cli_init;
#[cfg(test)]
mod cli_json;
#[cfg(test)]
mod cli_keys;
#[cfg(test)]
mod cli_mock;
#[cfg(test)]
mod cli_plan;
#[cfg(test)]
mod cli_report;
#[cfg(test)]
mod cli_samples;
#[cfg(test)]
mod cli_schema;
#[cfg(test)]
mod cli_store;
#[cfg(test)]
mod cli_support;
#[cfg(test)]
mod cli_usage;
mod config_environment;
mod config_errors;
mod config_properties;
mod config_reading;
mod config_schema;
mod config_secrecy;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod doctor_support;
mod entra_certificates;
mod entra_credentials;
mod entra_federated;
mod entra_identity;
mod entra_log;
mod entra_openid;
mod entra_refusals;
mod entra_schema;
mod entra_support;
mod entra_tls;
mod entra_token;
mod entra_upload;
#[cfg(test)]
#[cfg(unix)]
mod hook_support;
#[cfg(test)]
mod hr_bombs;
#[cfg(test)]
mod hr_book;
#[cfg(test)]
mod hr_dates;
#[cfg(test)]
mod hr_encodings;
#[cfg(test)]
mod hr_formats;
#[cfg(test)]
mod hr_json;
#[cfg(test)]
mod hr_people;
#[cfg(test)]
mod hr_support;
#[cfg(test)]
mod hr_text;
#[cfg(test)]
mod hr_workbooks;
#[cfg(test)]
mod intake_edge;
#[cfg(test)]
#[cfg(unix)]
mod journey_crash;
#[cfg(test)]
mod journey_dates;
#[cfg(test)]
mod journey_days;
#[cfg(test)]
#[cfg(unix)]
mod journey_disk;
#[cfg(test)]
mod journey_faults;
#[cfg(test)]
mod journey_files;
#[cfg(test)]
#[cfg(unix)]
mod journey_forget;
#[cfg(test)]
mod journey_guards;
#[cfg(test)]
mod journey_health;
#[cfg(test)]
mod journey_leavers;
#[cfg(test)]
mod journey_limits;
#[cfg(test)]
mod journey_order;
#[cfg(test)]
mod journey_outcomes;
#[cfg(test)]
mod journey_quota;
#[cfg(test)]
mod journey_real_data;
#[cfg(test)]
mod journey_sealed;
#[cfg(test)]
#[cfg(unix)]
mod kills;
#[cfg(test)]
mod layers;
mod mapping_compile;
mod mapping_dates;
mod mapping_expressions;
mod mapping_marks;
mod mapping_properties;
mod mapping_resource;
mod mapping_rules;
mod mapping_support;
mod mapping_warnings;
mod mapping_windows;
#[cfg(test)]
mod memory;
mod mock_admin;
mod mock_client;
mod mock_deletes;
mod mock_engine;
mod mock_escrow;
mod mock_log;
mod mock_quarantine;
mod mock_real;
mod mock_restart;
#[cfg(test)]
mod mock_schema;
mod mock_token;
mod mock_upload;
mod payload;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod schema_push;
#[cfg(test)]
mod schema_support;
#[cfg(test)]
mod sealed_support;
#[cfg(test)]
mod secret;
#[cfg(test)]
mod secrets_left;
#[cfg(test)]
#[cfg(unix)]
mod serve_alerts;
#[cfg(test)]
#[cfg(unix)]
mod serve_alerts_mail;
#[cfg(test)]
#[cfg(unix)]
mod serve_api;
#[cfg(test)]
#[cfg(unix)]
mod serve_daemon;
#[cfg(test)]
#[cfg(unix)]
mod serve_folder;
#[cfg(test)]
#[cfg(unix)]
mod serve_hooks;
#[cfg(test)]
#[cfg(unix)]
mod serve_hooks_kill;
#[cfg(test)]
#[cfg(unix)]
mod serve_hooks_order;
#[cfg(test)]
#[cfg(unix)]
mod serve_hydrate;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod serve_manager;
#[cfg(test)]
#[cfg(unix)]
mod serve_many;
#[cfg(test)]
#[cfg(unix)]
mod serve_reload;
#[cfg(test)]
#[cfg(unix)]
mod serve_schedule;
#[cfg(test)]
#[cfg(unix)]
mod serve_sealed;
#[cfg(test)]
#[cfg(unix)]
mod serve_support;
#[cfg(test)]
#[cfg(unix)]
mod serve_telemetry;
#[cfg(test)]
mod server_access;
#[cfg(test)]
mod server_api;
#[cfg(test)]
mod server_health;
#[cfg(test)]
mod server_secrecy;
#[cfg(test)]
mod server_support;
#[cfg(test)]
mod server_tls;
#[cfg(test)]
#[cfg(unix)]
mod soak;
#[cfg(test)]
#[cfg(unix)]
mod soak_model;
#[cfg(test)]
#[cfg(unix)]
mod soak_proof;
#[cfg(test)]
#[cfg(unix)]
mod soak_story;
#[cfg(test)]
#[cfg(unix)]
mod soak_tally;
#[cfg(test)]
mod store_audit;
#[cfg(test)]
mod store_leases;
#[cfg(test)]
mod store_sealed;
#[cfg(test)]
mod store_sqlite;
#[cfg(test)]
mod store_support;
#[cfg(test)]
mod store_wiped;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tracking_stragglers;
#[cfg(test)]
mod web_hydrate;
#[cfg(test)]
mod workbook_hostile;
#[cfg(test)]
mod workbook_kinds;
#[cfg(test)]
mod workbook_support;
#[cfg(test)]
mod workbook_xlsx;
