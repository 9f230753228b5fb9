//! What every backend must keep: one function for each promise of the traits.
//!
//! A backend runs the whole suite by `conformance!(open)` in a test module, `open` being an
//! expression that gives an empty store and whatever has to outlive it.

pub mod alerts;
pub mod audit;
pub mod calls;
pub mod decisions;
pub mod deliveries;
pub mod jobs;
pub mod keys;
pub mod leases;
pub mod order;
pub mod outbox;
pub mod outcomes;
pub mod pages;
pub mod people;
pub mod random;
pub mod records;
pub mod runs;
pub mod sample;
pub mod schedules;
pub mod superseding;
pub mod told;
pub mod upkeep;

/// Makes a test of each promise listed.
macro_rules! promises {
    ($open:expr; $($group:ident::$promise:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $promise() {
                let (store, _kept) = $open;
                $crate::store::conformance::$group::$promise(&store).await;
            }
        )*
    };
}

/// The suite.
macro_rules! conformance {
    ($open:expr) => {
        $crate::store::conformance::promises!($open;
            runs::a_committed_run_reads_back,
            runs::counts_sum_to_rows_and_rows_without_number,
            runs::a_run_without_changes_is_completed_at_once,
            runs::a_target_is_bound_to_its_job_once_something_was_accepted,
            runs::a_dropped_draft_leaves_no_trace,
            runs::the_ledger_moved_when_another_run_was_committed,
            runs::drafts_of_two_targets_do_not_meet,
            runs::one_worker_twice_in_a_draft_is_an_error,
            runs::a_refused_file_is_a_failed_run,
            runs::what_goes_back_of_a_rejected_row_is_kept_apart,
            runs::runs_are_listed_newest_first_and_pages_follow_on,
            records::the_ledger_answers_in_the_order_asked_for,
            records::a_resend_is_noted_until_the_resource_changes,
            records::a_record_shows_its_history_in_every_target,
            records::holders_of_a_user_name_are_those_whose_account_may_exist,
            outbox::leavers_go_first_then_the_order_of_planning,
            outbox::a_postponed_request_goes_again_as_itself,
            outbox::a_postponed_request_that_is_due_goes_before_new_ones,
            outbox::leavers_go_before_a_postponed_request_without_any,
            outbox::what_a_dead_process_left_is_sent_again,
            outbox::an_accepted_request_moves_its_run_on,
            outbox::a_refused_request_fails_its_operations,
            outbox::a_split_request_goes_in_smaller_ones,
            outbox::a_late_word_about_a_request_changes_nothing,
            outbox::a_clock_that_goes_back_does_not_hold_up_a_postponed_request,
            outbox::a_warning_stays_until_there_is_an_outcome,
            order::a_manager_stands_before_the_reports_of_one_request,
            order::a_report_waits_until_the_request_of_its_manager_is_accepted,
            order::requests_stay_full_while_an_answer_is_awaited,
            order::a_manager_of_a_later_class_is_waited_for_until_known,
            order::leavers_wait_for_nobody_and_nobody_waits_for_them,
            order::who_is_in_a_ring_over_two_runs_goes_all_the_same,
            order::a_manager_planned_by_a_later_run_is_brought_forward,
            order::the_parts_of_a_split_request_keep_the_order,
            order::managers_are_accepted_before_their_reports_start_whatever_happens,
            order::requests_of_a_tree_are_full,
            superseding::a_newer_version_takes_the_place_of_a_queued_one,
            superseding::a_newer_version_waits_for_the_one_being_sent,
            superseding::a_newer_version_empties_a_waiting_request,
            superseding::an_older_version_in_doubt_is_not_sent_after_a_newer_one,
            outcomes::outcomes_settle_operations_and_complete_the_run,
            outcomes::a_manager_who_is_open_is_awaited_until_found,
            outcomes::nothing_to_do_says_nothing_of_a_manager_who_has_not_arrived,
            outcomes::only_the_latest_operation_says_whether_a_manager_is_awaited,
            outcomes::the_same_outcome_again_changes_nothing,
            outcomes::a_later_event_mends_a_failure,
            outcomes::what_nobody_heard_of_is_unconfirmed,
            outcomes::an_operation_that_was_not_sent_is_not_settled,
            outcomes::sent_operations_are_the_newest_three_of_each_worker_and_what_is_open,
            outcomes::what_waits_too_long_is_found_oldest_first,
            outcomes::what_is_known_of_the_log_is_kept,
            calls::the_burst_window_holds_its_calls_and_no_more,
            calls::a_call_without_answer_counts_until_it_is_answered,
            calls::a_call_that_was_not_made_counts_nowhere,
            calls::a_lost_call_is_forgotten,
            calls::the_calls_of_a_dead_process_are_over_once_its_target_is_recovered,
            calls::the_day_rolls,
            calls::a_clock_that_goes_back_does_not_stop_the_calls,
            calls::tenants_do_not_share_a_quota,
            decisions::a_held_run_touches_nothing_until_it_is_approved,
            decisions::a_decision_is_for_a_run_that_waits_for_it,
            decisions::what_was_planned_anew_meanwhile_is_not_approved,
            decisions::a_newer_file_takes_the_place_of_held_ones,
            decisions::named_workers_alone_are_superseded_in_a_held_run,
            decisions::a_cancelled_run_is_not_taken_for_sent,
            decisions::what_a_cancelled_run_has_on_its_way_is_followed_to_its_end,
            decisions::what_was_being_posted_when_its_run_was_cancelled_is_not_posted_again,
            decisions::a_held_run_that_is_cancelled_leaves_the_ledger_alone,
            decisions::what_failed_is_tried_again_unless_something_newer_was_sent,
            decisions::a_worker_of_whom_nothing_was_posted_is_closed,
            decisions::who_was_posted_since_the_plan_leaves_and_is_not_closed,
            decisions::who_is_enabled_in_entra_stays_active_whatever_is_cancelled,
            decisions::notes_of_unchanged_rows_are_kept,
            people::absences_are_counted_in_a_row_and_forgotten,
            people::earlier_files_tell_how_large_and_how_old_they_are,
            people::small_runs_of_a_source_are_summed_up,
            people::a_record_is_due_from_its_date_on,
            people::a_later_row_is_kept_until_its_day_or_until_a_newer_file,
            people::a_report_is_due_once_the_manager_has_arrived,
            people::the_ledgers_digest_follows_ids_digests_and_states,
            pages::runs_are_read_page_by_page_newest_first,
            pages::operations_are_read_by_status_page_by_page,
            pages::everything_is_counted,
            jobs::a_job_is_known_as_it_was_last_seen,
            jobs::everything_open_is_queued_again_and_nothing_else,
            keys::a_key_reads_back_and_keys_are_listed_oldest_first,
            keys::one_id_is_one_key,
            keys::a_rotated_key_ends_with_the_overlap_and_names_its_successor,
            keys::a_key_that_is_no_longer_valid_is_not_rotated,
            keys::a_revoked_key_stays_revoked_as_it_was_first,
            keys::the_last_use_is_noted_now_and_then,
            deliveries::deliveries_wait_in_the_order_of_receipt,
            deliveries::the_same_delivery_again_is_the_first,
            deliveries::equal_content_is_the_same_only_while_it_waits,
            deliveries::a_run_takes_its_deliveries_with_its_commit_and_once,
            deliveries::a_refused_delivery_is_a_failed_run,
            deliveries::what_is_put_off_waits_and_what_is_closed_does_not,
            deliveries::processed_deliveries_are_forgotten_in_time,
            alerts::what_was_told_is_kept_until_something_else_is,
            alerts::runs_that_are_held_are_found_until_they_are_not,
            alerts::runs_in_trouble_are_found_by_their_beginning_or_end,
            leases::a_lease_has_one_holder,
            leases::whoever_waits_is_told_who_holds_the_lease,
            leases::leases_of_two_targets_do_not_meet,
            schedules::a_schedule_is_as_far_as_was_noted_last,
            schedules::schedules_do_not_meet,
            schedules::schedules_of_a_source_are_followed_by_one,
            upkeep::a_forgotten_person_is_nobody_and_the_books_stay_right,
            upkeep::whoever_is_active_or_on_the_way_is_not_forgotten,
            upkeep::nobody_waits_for_a_manager_who_is_forgotten,
            upkeep::old_operations_go_and_their_runs_still_count_them,
            upkeep::of_whoever_left_no_more_is_kept_than_who_it_was,
            audit::entries_are_read_by_number_and_hang_together,
            audit::a_trail_without_records_is_sound,
            audit::a_head_that_was_noted_has_to_be_there,
            audit::a_config_is_told_once_with_the_keys_that_are_others,
            told::decisions_and_runs_are_told_once_with_who_and_from_where,
            told::keys_are_told_and_what_failed_is_not,
            told::deliveries_are_told_once,
            told::answers_to_bulk_requests_are_told,
            random::no_worker_is_twice_on_the_way_and_the_latest_version_wins,
        );
    };
}

pub(crate) use {conformance, promises};
