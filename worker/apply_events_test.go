package worker

import (
	"encoding/json"
	"testing"

	"bareed/internal/id"
	"bareed/queue"
	"bareed/whatsapp"
)

// Events of one task are applied together; one that cannot be read leaves the
// others applied and waits for its next try, and one whose status names no
// message of ours is looked at once more.
func TestOneBadEventHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	people := func(waID, bsuid string, statuses ...map[string]any) []byte {
		raw, err := json.Marshal(map[string]any{
			"metadata": map[string]string{"phone_number_id": h.Number.String()},
			"contacts": []map[string]any{{"wa_id": waID, "user_id": bsuid}}, "statuses": statuses,
		})
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(whatsapp.Stored{Changes: []whatsapp.StoredChange{{Field: "messages", Value: raw}}})
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	h.AddPeople(t, h.Audience, 2)
	first := h.keep(t, people("966500000000", "SA.1349000000000010"))
	broken := h.keep(t, []byte("not JSON"))
	second := h.keep(t, people("966500000001", "SA.1349000000000011",
		map[string]any{"id": "wamid.NOBODY", "status": "read", "timestamp": "1798761600"}))
	task := queue.ApplyEvents{Workspace: h.Workspace, Events: []id.Event{first, broken, second}}
	if err := h.worker.applyEvents(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		event id.Event
		state string
	}{{"the first", first, "applied"}, {"the broken one", broken, "new"}, {"the one with a strange status", second, "new"}} {
		if counted(t, h.Broadcast, `select count(*) from event where id = $1 and state = $2 and tries = 1`, tt.event, tt.state) != 1 {
			t.Errorf("%s is not %s after one try", tt.name, tt.state)
		}
	}
	if n := counted(t, h.Broadcast, `select count(*) from identity where kind = 'bsuid'`); n != 2 {
		t.Errorf("%d scoped ids were learned, want 2", n)
	}
	if err := h.worker.applyEvents(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if counted(t, h.Broadcast, `select count(*) from event where id = $1 and state = 'applied' and unmatched = 1`, second) != 1 {
		t.Error("the second look at the strange status is not the last")
	}
}

// A table that is locked for a while costs no event a try.
func TestALockCostsNoEventATry(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	raw, err := json.Marshal(map[string]any{"metadata": map[string]string{"phone_number_id": h.Number.String()},
		"contacts": []map[string]any{{"wa_id": "966500000000", "user_id": "SA.1349000000000010"}}, "statuses": []any{}})
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(whatsapp.Stored{Changes: []whatsapp.StoredChange{{Field: "messages", Value: raw}}})
	if err != nil {
		t.Fatal(err)
	}
	h.AddPeople(t, h.Audience, 1)
	event := h.keep(t, body)
	task := queue.ApplyEvents{Workspace: h.Workspace, Events: []id.Event{event}}
	unlock := lockTable(t, h.Broadcast, "identity")
	if err := h.worker.applyEvents(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	unlock()
	if counted(t, h.Broadcast, `select count(*) from event
		where id = $1 and state = 'new' and tries = 0 and feed_after > bareed_now() and problem = ''`, event) != 1 {
		t.Error("the event is not just put off")
	}
	if err := h.worker.applyEvents(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if counted(t, h.Broadcast, `select count(*) from event where id = $1 and state = 'applied'`, event) != 1 {
		t.Error("the event was not applied after the lock")
	}
}
