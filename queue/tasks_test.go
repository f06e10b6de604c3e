package queue_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"bareed/internal/id"
	"bareed/queue"
)

func TestTableAndTasksAgree(t *testing.T) {
	t.Parallel()
	specs := map[string]queue.Spec{}
	for _, s := range queue.Tasks() {
		if _, twice := specs[s.Name]; twice {
			t.Errorf("%s is in the table twice", s.Name)
		}
		if s.Meaning == "" || s.Timeout < time.Second || s.Timeout%time.Second != 0 {
			t.Errorf("%s: meaning %q, timeout %v", s.Name, s.Meaning, s.Timeout)
		}
		specs[s.Name] = s
	}
	seen := map[string]bool{}
	for _, task := range everyTask() {
		s, ok := specs[task.Name()]
		if !ok {
			t.Errorf("%s is not in the table", task.Name())
			continue
		}
		seen[task.Name()] = true
		if m, ok := task.(queue.SendMessage); ok && m.Reply {
			if task.Queue() != queue.SendReply {
				t.Errorf("a reply waits in %s", task.Queue())
			}
		} else if task.Queue() != s.Queue {
			t.Errorf("%s waits in %s, the table says %s", s.Name, task.Queue(), s.Queue)
		}
	}
	if len(seen) != len(specs) {
		t.Errorf("everyTask has %d types, the table %d", len(seen), len(specs))
	}
}

// TestPayloadsHoldIdentifiersOnly looks at the types, so that no later field
// can carry a name, a telephone number or a text.
func TestPayloadsHoldIdentifiersOnly(t *testing.T) {
	t.Parallel()
	for _, task := range everyTask() {
		ty := reflect.TypeOf(task)
		for i := range ty.NumField() {
			f := ty.Field(i)
			kind := f.Type
			if kind.Kind() == reflect.Slice {
				kind = kind.Elem()
			}
			isID := kind.PkgPath() == "bareed/internal/id"
			isCount := kind.Kind() == reflect.Int32 || kind.Kind() == reflect.Int64 || kind.Kind() == reflect.Bool
			if !isID && !isCount {
				t.Errorf("%s.%s is a %s", ty.Name(), f.Name, f.Type)
			}
			if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); len(key) != 1 {
				t.Errorf("%s.%s has the key %q, want one letter", ty.Name(), f.Name, key)
			}
		}
		b, err := json.Marshal(task)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 300 {
			t.Errorf("%s takes %d bytes", ty.Name(), len(b))
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, task := range everyTask() {
		if again := task.ID(); again != task.ID() || seen[again] {
			t.Errorf("%s: identifier %s is not its own", task.Name(), again)
		}
		seen[task.ID()] = true
	}
	m := message()
	first := m.ID()
	m.Feed++
	if m.ID() == first {
		t.Error("a new feed has the old identifier")
	}
	m.Feed--
	m.Ordinal++
	if m.ID() == first {
		t.Error("another message has the same identifier")
	}
	e := queue.ApplyEvents{Events: []id.Event{id.New[id.Event](), id.New[id.Event](), id.New[id.Event]()}}
	whole := e.ID()
	e.Events = e.Events[:2]
	if e.ID() == whole {
		t.Error("a part of a batch has the identifier of the whole")
	}
	if (queue.ApplyEvents{}).ID() == "" {
		t.Error("an empty batch has no identifier")
	}
}
