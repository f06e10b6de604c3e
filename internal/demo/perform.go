//go:build unix

package demo

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"strings"
	"time"

	"bareed/internal/rig"
	"bareed/sandbox"
)

// Report is the campaign's report, as the API gives it.
type Report struct {
	State       string           `json:"state"`
	Planned     bool             `json:"planned"`
	Balanced    bool             `json:"balanced"`
	Total       int64            `json:"total"`
	Suppressed  map[string]int64 `json:"suppressed"`
	Ready       int64            `json:"ready"`
	Sending     int64            `json:"sending"`
	Held        int64            `json:"held"`
	Accepted    int64            `json:"accepted"`
	Sent        int64            `json:"sent"`
	Delivered   int64            `json:"delivered"`
	Read        int64            `json:"read"`
	Failed      map[string]int64 `json:"failed"`
	Unknown     int64            `json:"unknown"`
	Unconfirmed int64            `json:"unconfirmed"`
}

// outcome is everything the end of the demo is judged by.
type outcome struct {
	report  Report
	run     string
	before  sandbox.Summary
	after   sandbox.Summary
	seconds float64 // from launch to the last receipt
}

func (s *show) call(ctx context.Context, method, path string, in, out any) error {
	return s.rig.Call(ctx, s.kept.Tenant.Key, method, path, in, out)
}

func (s *show) say(what, format string, args ...any) {
	fmt.Fprintf(s.Out, "%-10s %s\n", what, fmt.Sprintf(format, args...))
}

// perform runs the main job once.
func (s *show) perform(ctx context.Context) (*outcome, error) {
	s.kept.Runs++
	if err := s.save(); err != nil {
		return nil, err
	}
	if err := s.endEarlier(ctx); err != nil {
		return nil, err
	}
	s.say("number", "%s sends up to 1,000 messages a second, 100,000 people in 24 hours (simulated)", s.kept.Tenant.Meta.Phone)
	file, planted := People(7)
	audience, err := s.importPeople(ctx, file, planted)
	if err != nil {
		return nil, err
	}
	campaign, eligible, err := s.define(ctx, audience)
	if err != nil {
		return nil, err
	}
	return s.send(ctx, campaign, eligible)
}

// endEarlier stops what a demo that was killed left running: it would go on by
// itself, as it should, and its figures would mix with this one's.
func (s *show) endEarlier(ctx context.Context) error {
	var page struct {
		Data []struct{ ID, Name, State string }
	}
	if err := s.call(ctx, "GET", "/v1/campaigns?limit=200", nil, &page); err != nil {
		return err
	}
	for _, c := range page.Data {
		if c.State != "starting" && c.State != "running" && c.State != "finishing" {
			continue
		}
		s.say("earlier", "%s was interrupted and goes on; it is stopped, its people stay accounted for", c.Name)
		if err := s.call(ctx, "POST", "/v1/campaigns/"+c.ID+"/stop", nil, nil); err != nil {
			return err
		}
	}
	return rig.Until(ctx, 200*time.Millisecond, func() (bool, error) {
		var now sandbox.Summary
		err := s.rig.Control(ctx, "/sandbox/journal/summary", nil, &now)
		return now.Webhooks.Pending == 0 && now.Undecided == 0, err
	})
}

// importPeople first records the opt-outs that came by other ways, then
// imports the file, which says that the same people opted in earlier.
func (s *show) importPeople(ctx context.Context, file []byte, planted Planted) (string, error) {
	if err := s.optOut(ctx, planted.OptedOutPhones); err != nil {
		return "", err
	}
	var audience struct {
		ID string `json:"id"`
	}
	name := fmt.Sprintf("Customers %d", s.kept.Runs)
	if err := s.call(ctx, "POST", "/v1/audiences", map[string]any{"name": name}, &audience); err != nil {
		return "", err
	}
	s.say("file", "%d rows: %d spoilt in %d ways, %d repeated in other spellings, %d without opt-in, %d who opted out since",
		planted.Rows, planted.Bad, len(bad), planted.Spellings, planted.NoOptIn, planted.OptedOut)
	var started struct {
		Import struct {
			ID string `json:"id"`
		} `json:"import"`
		Job struct {
			ID string `json:"id"`
		} `json:"job"`
	}
	body, contentType := upload(file)
	err := s.rig.Do(ctx, s.kept.Tenant.Key, "POST", "/v1/audiences/"+audience.ID+"/imports", contentType, body, &started)
	if err != nil {
		return "", err
	}
	if err := s.wait(ctx, "import", started.Job.ID); err != nil {
		return "", err
	}
	var done struct {
		Rows, Created, Updated, Unchanged, Merged, Rejected int64
		OptedIn                                             int64 `json:"opted_in"`
		Superseded                                          int64
	}
	if err := s.call(ctx, "GET", "/v1/imports/"+started.Import.ID, nil, &done); err != nil {
		return "", err
	}
	s.say("imported", "%d new, %d updated, %d unchanged, %d merged, %d rejected; opt-in recorded for %d, %d older than the person's opt-out",
		done.Created, done.Updated, done.Unchanged, done.Merged, done.Rejected, done.OptedIn, done.Superseded)
	return audience.ID, nil
}

func upload(file []byte) (*bytes.Buffer, string) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	_ = m.WriteField("settings", settings) // a buffer takes everything
	f, _ := m.CreateFormFile("file", "customers.csv")
	_, _ = f.Write(file)
	_ = m.Close()
	return &b, m.FormDataContentType()
}

const settings = `{
	"default_country": "SA",
	"consent": {
		"covers": "rows", "purposes": ["marketing"], "method": "web_form", "source": "https://acme.example/join",
		"evidence": "form submissions, export of 2026-10-01",
		"wording": {"version": "2026-01", "text": "Yes, Acme Trading may send me offers on WhatsApp.", "business_name": "Acme Trading"}
	}
}`

func (s *show) optOut(ctx context.Context, phones []string) error {
	for _, p := range phones {
		err := s.call(ctx, "POST", "/v1/consents", map[string]any{"phone": p, "action": "opt_out",
			"purposes": []string{"marketing"}, "method": "phone_call", "source": "call centre",
			"occurred_at": "2026-10-15T09:00:00Z"}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// wait follows a job to its end.
func (s *show) wait(ctx context.Context, what, job string) error {
	return rig.Until(ctx, 100*time.Millisecond, func() (bool, error) {
		var j struct {
			State   string
			Problem *struct{ Code, Detail string }
		}
		if err := s.call(ctx, "GET", "/v1/jobs/"+job, nil, &j); err != nil {
			return false, err
		}
		if j.State == "failed" {
			return false, fmt.Errorf("the %s failed: %+v", what, j.Problem)
		}
		return j.State == "completed", nil
	})
}

// define makes the campaign and checks it without sending.
func (s *show) define(ctx context.Context, audience string) (campaign string, eligible int64, err error) {
	template, err := s.rig.Template(ctx, s.kept.Tenant, "offer", "ar")
	if err != nil {
		return "", 0, err
	}
	var made struct{ ID string }
	err = s.call(ctx, "POST", "/v1/campaigns", map[string]any{
		"name": fmt.Sprintf("Autumn offer %d", s.kept.Runs), "number_id": s.kept.Tenant.Number, "template_id": template,
		"audience_ids": []string{audience},
		"variables": map[string]any{"body": []map[string]string{
			{"attribute": "name", "fallback": "صديقنا"}, {"attribute": "city"},
		}},
	}, &made)
	if err != nil {
		return "", 0, err
	}
	var started struct {
		CheckID string `json:"check_id"`
		JobID   string `json:"job_id"`
	}
	if err := s.call(ctx, "POST", "/v1/campaigns/"+made.ID+"/check", nil, &started); err != nil {
		return "", 0, err
	}
	if err := s.wait(ctx, "check", started.JobID); err != nil {
		return "", 0, err
	}
	var check struct {
		Total, Eligible int64
		Suppressed      map[string]int64
	}
	if err := s.call(ctx, "GET", "/v1/campaigns/"+made.ID+"/checks/"+started.CheckID, nil, &check); err != nil {
		return "", 0, err
	}
	s.say("check", "of %d people %d can be messaged; suppressed: %s", check.Total, check.Eligible, reasons(check.Suppressed))
	return made.ID, check.Eligible, nil
}

// send launches and follows. Two dozen answers are lost on the way on purpose,
// and a few people write STOP while it runs.
func (s *show) send(ctx context.Context, campaign string, eligible int64) (*outcome, error) {
	o := &outcome{}
	if err := s.rig.Control(ctx, "/sandbox/journal/summary", nil, &o.before); err != nil {
		return nil, err
	}
	if err := s.disturb(ctx); err != nil {
		return nil, err
	}
	var launched struct {
		RunID string `json:"run_id"`
	}
	began := time.Now()
	err := s.call(ctx, "POST", "/v1/campaigns/"+campaign+"/launch", map[string]any{"expected_recipients": eligible}, &launched)
	if err != nil {
		return nil, err
	}
	o.run = strings.TrimPrefix(launched.RunID, "run_")
	if err := s.follow(ctx, campaign, o); err != nil {
		return nil, err
	}
	o.seconds = time.Since(began).Seconds()
	s.tell(o)
	return o, nil
}

// disturb makes the day an ordinary one: one message in a hundred fails later,
// and twenty answers are lost after Meta accepted the message.
func (s *show) disturb(ctx context.Context) error {
	if err := s.rig.Control(ctx, "/sandbox/scenario", map[string]any{"fail_probability": 0.01}, nil); err != nil {
		return err
	}
	return s.rig.Control(ctx, "/sandbox/faults", sandbox.Fault{Kind: sandbox.KindCut, Count: 20, Probability: 0.01}, nil)
}

// follow draws the bar until everybody is accounted for and every receipt that
// the sandbox will send has come.
func (s *show) follow(ctx context.Context, campaign string, o *outcome) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	stopped := false
	err := rig.Until(ctx, 250*time.Millisecond, func() (bool, error) {
		if err := s.call(ctx, "GET", "/v1/campaigns/"+campaign+"/report", nil, &o.report); err != nil {
			return false, err
		}
		s.bar(o.report)
		if !stopped && o.report.Accepted > 1000 {
			stopped = true
			if err := s.writeStop(ctx, campaign); err != nil {
				return false, err
			}
		}
		if o.report.State != "completed" {
			return false, nil
		}
		if err := s.rig.Control(ctx, "/sandbox/journal/summary", nil, &o.after); err != nil {
			return false, err
		}
		return o.settled(), nil
	})
	if s.Terminal {
		fmt.Fprintln(s.Out)
	}
	if err != nil && len(o.differences()) > 0 {
		err = fmt.Errorf("%w; not settled: %s", err, strings.Join(o.differences(), "; "))
	}
	return err
}
