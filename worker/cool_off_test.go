package worker

import "testing"

// Meta refuses marketing to a person (131049): their next message, which was
// planned before, is left out and never posted; others go on. As long as the
// workspace says.
func TestWhoCoolsOffGetsNoMarketing(t *testing.T) {
	t.Parallel()
	for name, meet := range planes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCoded(t, 3)
			c.b.Do(t, `insert into sending_rule (workspace_id, cool_off_hours, updated_by) values ($1, 72, 'test')`, c.b.Workspace)
			first := meet(c, t, 131049)
			c.samePerson(t, first, first+1)
			posts := c.posts.Load()
			c.tryFew(t, first+1)
			if n := counted(t, c.b, `select count(*) from message where run_id = $1 and ordinal = $2 and state = 'suppressed' and reason = 'cooling_off'`, c.run, first+1); n != 1 || c.posts.Load() != posts {
				t.Errorf("the next message is not left out; %d requests", c.posts.Load()-posts)
			}
			if n := counted(t, c.b, `select round(extract(epoch from until - bareed_now()) / 3600)::int from cool_off`); n != 72 {
				t.Errorf("left alone for %d hours", n)
			}
			c.next = first + 1
			c.accept(t)
		})
	}
}
