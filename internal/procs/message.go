//go:build unix

package procs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"bareed/client"
	"bareed/internal/rig"
	"bareed/sandbox"
)

// people is how many the campaign goes to.
const people = 5

func (r *run) answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := r.rig.HTTP.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection is used again
	return res.StatusCode == http.StatusOK
}

// message sends a small campaign from one end to the other: file, check,
// launch, worker, Meta's answer, Meta's webhooks, report.
func (r *run) message(ctx context.Context) (*rig.Tenant, error) {
	began := time.Now()
	t, err := r.rig.MakeTenant(ctx, "Acme", rig.MetaOf(1, 80, "TIER_100K"))
	if err != nil {
		return nil, err
	}
	s := &sender{rig: r.rig, key: t.Key}
	audience, err := s.importPeople(ctx)
	if err != nil {
		return nil, err
	}
	campaign, err := s.launch(ctx, t, audience)
	if err != nil {
		return nil, err
	}
	if err := s.delivered(ctx, campaign); err != nil {
		return nil, err
	}
	r.say("sent", "%d messages to the sandbox, each delivered, after %.1f s", people, time.Since(began).Seconds())
	return t, nil
}

// sender is a customer's program.
type sender struct {
	rig *rig.Rig
	key string
}

func (s *sender) call(ctx context.Context, method, path string, in, out any) error {
	return s.rig.Call(ctx, s.key, method, path, in, out)
}

func (s *sender) importPeople(ctx context.Context) (string, error) {
	var made struct{ ID string }
	if err := s.call(ctx, "POST", "/v1/audiences", map[string]any{"name": "People"}, &made); err != nil {
		return "", err
	}
	var csv strings.Builder
	csv.WriteString("phone,name,city,opt_in,opt_in_at\n")
	for i := range people {
		fmt.Fprintf(&csv, "+96651234500%d,Person %d,Riyadh,yes,2026-01-02\n", i, i)
	}
	started, err := s.rig.Client(s.key).CreateImport(ctx, made.ID, client.Upload{File: strings.NewReader(csv.String()), Name: "people.csv",
		Settings: client.ImportSettings{Consent: &client.Declaration{Covers: "rows", Purposes: []string{"marketing"}, Method: "web_form",
			Source: "https://acme.example", Wording: &client.Wording{Version: "1", Text: "Acme may write to me on WhatsApp", BusinessName: "Acme"}}}})
	if err != nil {
		return "", err
	}
	return made.ID, s.wait(ctx, started.Job.ID)
}

func (s *sender) wait(ctx context.Context, job string) error {
	return rig.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		var j struct{ State, Kind string }
		if err := s.call(ctx, "GET", "/v1/jobs/"+job, nil, &j); err != nil {
			return false, err
		}
		if j.State == "failed" {
			return false, errors.New("the job " + j.Kind + " failed")
		}
		return j.State == "completed", nil
	})
}

func (s *sender) launch(ctx context.Context, t *rig.Tenant, audience string) (string, error) {
	template, err := s.rig.Template(ctx, t, "offer", "en")
	if err != nil {
		return "", err
	}
	var made struct{ ID string }
	err = s.call(ctx, "POST", "/v1/campaigns", map[string]any{
		"name": "Offer", "number_id": t.Number, "template_id": template, "audience_ids": []string{audience},
		"variables": map[string]any{"body": []map[string]string{{"attribute": "name"}, {"attribute": "city"}}},
	}, &made)
	if err != nil {
		return "", err
	}
	var check struct {
		JobID string `json:"job_id"`
	}
	if err := s.call(ctx, "POST", "/v1/campaigns/"+made.ID+"/check", nil, &check); err != nil {
		return "", err
	}
	if err := s.wait(ctx, check.JobID); err != nil {
		return "", err
	}
	return made.ID, s.call(ctx, "POST", "/v1/campaigns/"+made.ID+"/launch", map[string]any{"expected_recipients": people}, nil)
}

// delivered waits until the report says so of everybody, and asks the sandbox
// whether it is true.
func (s *sender) delivered(ctx context.Context, campaign string) error {
	err := rig.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		var report struct {
			State               string
			Delivered, Accepted int
		}
		err := s.call(ctx, "GET", "/v1/campaigns/"+campaign+"/report", nil, &report)
		return report.State == "completed" && report.Delivered == people && report.Accepted == people, err
	})
	if err != nil {
		return fmt.Errorf("wait for the messages to be delivered: %w", err)
	}
	var sum sandbox.Summary
	if err := s.rig.Control(ctx, "/sandbox/journal/summary", nil, &sum); err != nil {
		return err
	}
	if sum.Accepted != people || sum.DuplicateOrdinals+sum.DuplicateRecipients > 0 {
		return fmt.Errorf("the sandbox accepted %d messages, some of them twice: %d", sum.Accepted, sum.DuplicateRecipients)
	}
	return nil
}
