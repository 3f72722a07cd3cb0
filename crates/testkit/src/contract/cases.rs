//! Every case of the contract, as tests.

/// Every case of the contract as a test: `store_contract!(harness().await)`, where the expression
/// makes a new [`StoreHarness`](crate::contract::StoreHarness) for each. The crate that says so needs
/// tokio's `macros` and `rt`.
#[macro_export]
macro_rules! store_contract {
    (@tests ($harness:expr) $($suite:ident { $($case:ident)* })*) => {
        $(mod $suite {
            use super::*;

            $(#[tokio::test]
            async fn $case() {
                let harness = $harness;
                $crate::contract::$suite::$case(&harness).await;
            })*
        })*
    };
    (@names () $($suite:ident { $($case:ident)* })*) => {
        [$($((stringify!($suite), stringify!($case)),)*)*]
    };
    (@every $what:ident ($($given:tt)*)) => {
        $crate::store_contract! {
            @$what ($($given)*)
            units {
                a_unit_tells_its_organization
                a_dropped_unit_leaves_no_trace
                a_committed_unit_is_seen_elsewhere
                a_unit_for_reading_refuses_every_write
                a_unit_for_reading_can_be_committed
                a_reader_keeps_to_one_state
                a_reader_waits_for_no_writer
                a_writer_sees_what_the_writer_before_it_wrote
                no_update_is_lost_among_many_writers
                a_writer_that_gave_up_waiting_is_in_nobodys_way
            }
            tenancy {
                nothing_of_another_organization_is_read
                nothing_of_another_organization_is_touched
                two_organizations_have_each_their_own_of_the_same
            }
            connections {
                a_connection_comes_back_as_it_was_put_last
                a_generation_counts_the_keys_that_were_stored
                a_deleted_connection_is_gone
            }
            sources {
                a_source_comes_back_as_it_was_put_last
                a_list_is_found_by_its_unarchived_source
                a_list_has_one_unarchived_source
                the_sources_of_a_kind_come_by_klaviyos_id
                a_profiles_link_is_a_source
                sources_are_searched_by_type_id_and_status
                sources_are_paged_by_id_whatever_their_type
            }
            audiences {
                an_audience_comes_back_as_it_was_put_last
                an_audience_shows_what_its_source_has_become
                an_audience_without_its_source_is_refused
                audiences_are_paged_by_id_and_archived_ones_left_out
                a_name_is_taken_by_another_unarchived_audience
                members_are_paged_by_id_and_counted
            }
            search {
                a_search_among_members_takes_wildcards_literally
                a_search_among_consumers_takes_wildcards_literally
                consumers_are_filtered_by_when_they_were_made
                what_a_search_finds_is_paged_by_id
            }
            consumers {
                a_consumer_tells_who_made_and_changed_it_and_when
                consumers_are_looked_up_exactly
                a_look_up_finds_a_hundred_at_most
            }
            pages {
                what_is_known_of_a_page_is_found_by_email_and_by_profile
                each_run_knows_what_it_has_seen_itself
                a_page_taken_again_writes_nothing
                an_empty_page_writes_nothing
                emails_move_between_consumers_within_a_page
                a_link_moves_to_another_consumer
                stamps_come_back_as_they_were
                a_page_that_cannot_be_is_refused
            }
            texts {
                odd_names_come_back_as_they_went_in
                the_longest_names_come_back_as_they_went_in
                emails_are_told_apart_by_every_sign
                times_come_back_to_the_microsecond
            }
            merging {
                any_sequence_of_pages_ends_in_the_same_rows_as_the_oracles
                neither_order_nor_pages_nor_repeats_matter
            }
            reconciling {
                those_not_seen_leave_whatever_the_size_of_the_batches
                those_seen_become_members_whatever_the_size_of_the_batches
                profiles_that_moved_meanwhile_are_reconciled_where_they_are_now
                a_member_stays_while_one_of_its_profiles_is_seen
                reconciling_is_of_one_run_and_one_audience
                link_moves_are_counted_for_the_organization

                seen_profiles_without_a_consumer_add_no_member
                batches_pass_over_no_id
                seen_profiles_of_ended_runs_are_deleted
            }
            runs {
                a_run_comes_back_as_it_was_saved_last
                a_run_that_is_not_there_is_not_saved
                a_run_of_nothing_is_refused
                active_runs_are_those_that_go_on
                a_source_has_one_active_run
                of_fifty_runs_queued_at_once_one_stays
                an_audiences_runs_are_paged_from_the_latest
            }
            leases {
                a_lease_is_had_by_one
                of_fifty_at_once_one_gets_the_lease
                a_lease_that_is_renewed_goes_on
                a_lease_is_renewed_from_now_on
                a_lease_that_ran_out_is_taken_over
                a_lease_that_was_given_back_is_free
                a_lease_that_ran_out_can_be_given_back_while_nobody_has_it
                tokens_only_grow
                a_claim_that_is_dropped_was_none
                a_paused_run_cannot_be_claimed_before_its_time
                work_that_left_the_queue_has_no_lease
                work_leaves_the_queue_at_once
                unknown_work_has_no_lease
            }
            issues {
                issues_are_paged_by_profile_code_and_field
                an_issue_is_one_however_often_it_is_met
                issues_are_their_runs
            }
            queue {
                queued_work_is_due_and_notified_of
                a_notification_that_no_worker_took_is_repeated
                work_of_a_dead_worker_is_notified_of
                a_claim_ends_the_pause_after_a_notification
                a_run_given_back_is_rung_for_when_it_is_due
                much_work_is_notified_of_up_to_the_limit
                finished_work_is_not_notified_of
                work_is_a_candidate_while_it_is_due_and_not_leased
                the_organization_with_the_fewest_leases_is_next
                the_organization_whose_last_claim_is_longest_ago_is_next
                work_that_was_claimed_least_often_is_next
                the_backlog_is_what_is_due_or_leased
            }
            directory {
                an_organization_comes_back_as_it_was_made
                an_organization_and_its_first_key_are_made_together
                organizations_are_listed_by_id
                keys_are_added_and_listed_by_id
                a_revoked_key_is_listed_and_not_found
            }
            quota {
                a_ledger_does_what_a_bucket_does
                a_window_is_used_up_by_all_together
                silence_is_kept_by_all_and_never_shortened
                buckets_are_one_for_each_account_and_endpoint
            }
        }
    };
    (@list) => { $crate::store_contract!(@every names ()) };
    ($harness:expr) => { $crate::store_contract!(@every tests ($harness)); };
}
