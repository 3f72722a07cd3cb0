//! The list of the contract's cases, and the macro that makes tests of them.

use std::pin::Pin;

use super::harness::StoreHarness;

/// Makes a test of every case of the contract: `store_contract!(harness().await)`, where the expression makes a
/// new [`StoreHarness`] for each test. The crate that calls it needs tokio's
/// `macros` and `rt`.
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
    (@functions () $($suite:ident { $($case:ident)* })*) => {
        vec![$($({
            let run: $crate::contract::Case = |harness| {
                Box::pin($crate::contract::$suite::$case(harness))
            };
            (concat!(stringify!($suite), "::", stringify!($case)), run)
        },)*)*]
    };
    (@every $what:ident ($($given:tt)*)) => {
        $crate::store_contract! {
            @$what ($($given)*)
            units {
                a_unit_knows_its_organization
                a_dropped_unit_leaves_no_trace
                a_committed_unit_is_seen_elsewhere
                a_unit_for_reading_refuses_every_write
                a_unit_for_reading_can_be_committed
                a_reader_keeps_to_one_state
                a_reader_waits_for_no_writer
                a_writer_sees_what_the_writer_before_it_wrote
                no_update_is_lost_among_many_writers
                a_writer_that_gave_up_waiting_blocks_no_other
            }
            tenancy {
                nothing_of_another_organization_is_read
                nothing_of_another_organization_is_changed
                two_organizations_keep_their_own_rows_under_the_same_ids
            }
            connections {
                a_connection_comes_back_as_it_was_put_last
                a_generation_counts_the_keys_that_were_stored
                a_key_is_sealed_anew_and_nothing_else_changes
                a_key_that_was_replaced_meanwhile_is_not_sealed_anew
                what_is_read_of_changes_is_replaced_by_who_has_seen_it
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
                audiences_are_read_by_their_ids_together
                a_name_is_taken_by_another_unarchived_audience
                an_audience_is_archived_without_being_read
                members_are_paged_by_id_and_counted
                an_audience_by_hand_comes_back_without_a_source
                members_by_hand_are_kept_in_history
            }
            door {
                members_are_found_among_the_people_asked_for
                an_unknown_audience_has_no_door
                a_check_waits_for_no_writer
            }
            explaining {
                the_links_of_a_consumer_are_its_own
                a_skipped_profile_is_found_in_the_runs_of_its_audience
            }
            search {
                a_search_among_members_takes_wildcards_literally
                a_search_among_consumers_takes_wildcards_literally
                a_search_knows_the_letters_of_every_script
                consumers_are_filtered_by_when_they_were_made
                what_a_search_finds_is_paged_by_id
                an_index_changes_nothing_of_what_a_search_finds
                a_large_audience_is_searched_by_the_index
            }
            consumers {
                a_consumer_has_its_dates_and_actors
                consumers_are_looked_up_exactly
                a_look_up_finds_a_hundred_at_most
            }
            contacts {
                a_consumer_that_was_made_here_comes_back_as_it_was_put_last
                an_address_is_one_consumers
                a_consumer_in_the_index_is_found_by_its_new_name
                consents_come_back_as_they_were_read
                a_value_that_was_edited_stays_until_a_later_one_is_read
                what_is_chosen_of_contacts_comes_back
                what_is_remembered_of_contacts_comes_back
                pending_deliveries_of_contacts_are_found
            }
            erasures {
                a_key_of_hashes_is_kept_and_sealed_anew
                an_erased_consumer_leaves_hashes_and_nothing_else
                a_person_may_be_erased_twice
            }
            deliveries {
                a_delivery_is_due_at_its_time_as_it_was_written
                nothing_of_a_consumer_overtakes_what_came_before_it
                many_are_put_off_together
                a_try_that_was_not_made_does_not_count
                a_delivery_that_was_tried_ends_once
                a_purchase_is_told_with_its_amount_if_that_comes_in_time
            }
            delivery_records {
                deliveries_are_listed_from_the_latest
                a_summary_counts_what_there_is
                what_klaviyo_took_and_does_not_show_says_so
                old_deliveries_are_deleted
                an_erased_consumers_deliveries_go_and_the_account_is_kept
            }
            kept_lists {
                a_kept_list_comes_back_as_it_was_put_last
                a_ledger_holds_what_was_written_last
                a_push_comes_back_as_it_was_put_last
                deliveries_that_were_made_are_listed_and_never_due
            }
            webhooks {
                secrets_come_back_as_they_were_put_and_are_sealed_anew
                what_is_chosen_of_events_comes_back
                an_event_that_has_come_is_known_by_its_keys
            }
            known {
                what_is_known_of_a_page_is_found_by_email_and_by_profile
                each_run_knows_what_it_has_seen_itself
                what_stands_in_no_page_that_is_looked_at_is_not_found
                seen_profiles_come_back_page_by_page
            }
            pages {
                a_page_that_is_read_again_writes_nothing
                an_empty_page_writes_nothing
                emails_move_between_consumers_within_a_page
                a_link_moves_to_another_consumer
                stamps_come_back_as_they_were
                a_page_that_breaks_a_rule_is_refused
            }
            link_moves {
                link_moves_are_counted_for_the_organization
                profiles_of_members_are_told_from_others
                who_a_link_leads_to_is_a_member_where_who_it_led_to_is
                complete_passes_are_called_for_in_a_consumers_audiences
            }
            texts {
                odd_names_come_back_as_they_went_in
                the_longest_names_come_back_as_they_went_in
                emails_are_told_apart_by_every_character
                times_come_back_to_the_microsecond
                any_id_of_klaviyos_comes_back_as_it_went_in
                an_address_of_an_earlier_version_is_read_and_renewed
            }
            merging {
                any_sequence_of_pages_ends_in_the_rows_that_the_oracle_expects
                neither_order_nor_pages_nor_repeats_matter
            }
            reconciling {
                members_that_were_not_seen_leave_whatever_the_size_of_the_batches
                seen_profiles_become_members_whatever_the_size_of_the_batches
                profiles_that_moved_meanwhile_are_reconciled_where_they_are_now
                a_member_stays_while_one_of_its_profiles_is_seen
                reconciling_concerns_one_run_and_one_audience
                seen_profiles_without_a_consumer_add_no_member
                batches_skip_no_id
                seen_profiles_of_ended_runs_are_deleted
            }
            runs {
                a_run_comes_back_as_it_was_saved_last
                a_run_that_is_not_there_is_not_saved
                a_run_without_its_source_or_audience_is_refused
                pending_and_syncing_runs_are_active
                a_source_has_one_active_run
                of_fifty_runs_queued_at_once_one_stays
                a_run_is_ended_without_being_read
                an_audiences_runs_are_paged_from_the_latest
            }
            history {
                a_membership_begins_and_ends_at_the_time_of_its_unit
                a_consumers_memberships_are_read_of_all_audiences_together
                changes_are_paged_in_their_order
                the_latest_changes_are_paged_backwards
                members_at_any_time_are_those_whom_a_watcher_saw
                members_of_a_time_are_paged_and_searched
                a_membership_that_ends_before_its_beginning_leaves_no_history
            }
            kept_history {
                snapshots_are_listed_and_deleted
                an_erased_persons_history_is_deleted
                history_expires_but_for_what_a_snapshot_needs
            }
            retention {
                old_runs_expire_but_the_latest_and_the_latest_successful
                a_run_is_deleted_with_its_issues_a_few_at_a_time
                members_of_archived_audiences_expire
                quotas_that_nobody_uses_are_deleted
            }
            leases {
                a_lease_has_one_holder
                of_fifty_at_once_one_gets_the_lease
                a_lease_that_is_renewed_goes_on
                a_lease_is_renewed_from_now_on
                a_lease_that_ran_out_is_taken_over
                a_lease_that_was_released_is_free
                a_lease_that_ran_out_can_be_released_until_another_worker_claims_it
                tokens_only_grow
                a_claim_that_is_not_committed_has_no_effect
                a_paused_run_cannot_be_claimed_before_its_time
                work_that_left_the_queue_has_no_lease
                work_leaves_the_queue_at_once
                unknown_work_has_no_lease
                the_work_in_the_queue_is_listed_by_id
                paused_work_that_is_woken_is_due_at_once
            }
            clock_steps {
                a_pause_is_over_after_the_clock_was_set_back
                a_lease_begins_anew_after_the_clock_was_set_back
                a_worker_keeps_its_lease_after_the_clock_was_set_back
                queued_work_is_notified_of_after_the_clock_was_set_back
                an_organization_gets_its_turn_after_the_clock_was_set_back
            }
            boundaries {
                a_lease_runs_out_at_its_end_and_not_before
                paused_work_is_due_at_its_time_and_not_before
                a_notification_is_repeated_after_ten_seconds_and_not_before
                leased_work_is_notified_of_when_its_lease_is_over_and_not_before
                paused_work_is_notified_of_when_it_is_due_and_not_before
            }
            issues {
                issues_are_paged_by_profile_code_and_field
                an_issue_that_is_met_again_is_stored_once
                an_issue_belongs_to_its_run
            }
            queue {
                queued_work_is_due_and_notified_of
                a_notification_that_no_worker_took_is_repeated
                work_of_a_dead_worker_is_notified_of
                a_claim_ends_the_pause_after_a_notification
                released_work_is_notified_of_when_it_is_due
                much_work_is_notified_of_up_to_the_limit
                finished_work_is_not_notified_of
            }
            schedules {
                audiences_are_due_at_their_time_and_not_before
                organizations_with_due_audiences_are_found
                schedules_end_one_by_one_and_all_at_once
                continuous_audiences_are_those_with_an_interval
            }
            scheduling {
                work_is_a_candidate_while_it_is_due_and_not_leased
                the_organization_with_the_fewest_leases_is_next
                the_organization_whose_last_claim_is_longest_ago_is_next
                work_that_was_claimed_least_often_is_next
                the_backlog_is_what_is_due_or_leased
            }
            turns {
                the_next_work_is_what_the_rule_says_of_all_rows
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
                a_quota_is_used_up_by_all_processes_together
                a_rate_limit_block_binds_every_process_and_is_never_shortened
                a_rate_limit_block_that_was_ended_binds_no_process
                each_account_and_endpoint_has_its_own_bucket
            }
            request_limits {
                any_takings_are_counted_as_a_request_count_does
                a_limit_is_used_up_by_all_processes_together
                each_organization_has_its_own_limit_and_each_minute
                checks_have_a_limit_of_their_own
            }
        }
    };
    (@list) => { $crate::store_contract!(@every names ()) };
    ($harness:expr) => { $crate::store_contract!(@every tests ($harness)); };
}

/// A case of the contract, to be run on the harness of an empty store.
pub type Case = for<'h> fn(&'h dyn StoreHarness) -> Pin<Box<dyn Future<Output = ()> + 'h>>;

/// Every case by its name, for a store that is too dear to be made for each: it is emptied instead.
pub fn every_case() -> Vec<(&'static str, Case)> {
    crate::store_contract!(@every functions ())
}
