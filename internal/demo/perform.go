//go:build unix

package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bareed/client"
	"bareed/docs"
	"bareed/internal/rig"
	"bareed/sandbox"
)

// outcome is everything the end of the demo is judged by.
type outcome struct {
	report  client.Report
	run     string
	before  sandbox.Summary
	after   sandbox.Summary
	seconds float64 // from launch to the last receipt
}

// api is the product as a customer's program reaches it.
func (s *show) api() *client.Client { return s.rig.Client(s.kept.Tenant.Key) }

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
	for c, err := range s.api().ListCampaigns(ctx, client.CampaignFilter{States: []string{"starting", "running", "finishing"}}) {
		if err != nil {
			return err
		}
		s.say("earlier", "%s was interrupted and goes on; it is stopped, its people stay accounted for", c.Name)
		if _, err := s.api().StopCampaign(ctx, c.ID); err != nil {
			return err
		}
	}
	return limited(ctx, "the end of the earlier campaigns", func(ctx context.Context) error {
		return rig.Until(ctx, 200*time.Millisecond, func() (bool, error) {
			var now sandbox.Summary
			err := s.rig.Control(ctx, "/sandbox/journal/summary", nil, &now)
			return now.Webhooks.Pending == 0 && now.Undecided == 0, err
		})
	})
}

// importPeople first records the opt-outs that came by other ways, then
// imports the file, which says that the same people opted in earlier.
func (s *show) importPeople(ctx context.Context, file []byte, planted Planted) (string, error) {
	if err := s.optOut(ctx, planted.OptedOutPhones); err != nil {
		return "", err
	}
	audience, err := s.api().CreateAudience(ctx, fmt.Sprintf("Customers %d", s.kept.Runs))
	if err != nil {
		return "", err
	}
	card, err := s.api().CreateRateCard(ctx, "rate-card-FAKE.csv", "2025-07-01", docs.FakeRateCard) // the same one each time
	if err != nil {
		return "", err
	}
	s.say("prices", "%d, all made up, in %s: the currency for testing", card.Rows, card.Currency)
	s.say("file", "%d rows: %d spoilt in %d ways, %d repeated in other spellings, %d without opt-in, %d who opted out since",
		planted.Rows, planted.Bad, len(bad), planted.Spellings, planted.NoOptIn, planted.OptedOut)
	started, err := s.api().CreateImport(ctx, audience.ID, client.Upload{File: bytes.NewReader(file), Name: "customers.csv", Settings: settings()})
	if err != nil {
		return "", err
	}
	if err := s.wait(ctx, "the import", started.Job.ID); err != nil {
		return "", err
	}
	done, err := s.api().GetImport(ctx, started.Import.ID)
	if err != nil {
		return "", err
	}
	s.say("imported", "%d new, %d updated, %d unchanged, %d merged, %d rejected; opt-in recorded for %d, %d older than the person's opt-out",
		done.Created, done.Updated, done.Unchanged, done.Merged, done.Rejected, done.OptedIn, done.Superseded)
	return audience.ID, nil
}

// patience is how long each stage may take; the slowest takes twenty seconds on
// two cores. A demo that waits for ever tells nobody what is wrong.
const patience = 3 * time.Minute

// limited gives a stage that long.
func limited(ctx context.Context, stage string, run func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := run(ctx)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s did not end within %s, and what the processes logged above says why: %w", stage, patience, err)
	}
	return err
}

func (s *show) wait(ctx context.Context, stage, job string) error {
	return limited(ctx, stage, func(ctx context.Context) error {
		_, err := s.api().WaitJob(ctx, job)
		return err
	})
}

// settings say what the people of the file agreed to.
func settings() client.ImportSettings {
	return client.ImportSettings{DefaultCountry: "SA", Consent: &client.Declaration{Covers: "rows", Purposes: []string{"marketing"},
		Method: "web_form", Source: "https://acme.example/join", Evidence: "form submissions, export of 2026-10-01",
		Wording: &client.Wording{Version: "2026-01", Text: "Yes, Acme Trading may send me offers on WhatsApp.", BusinessName: "Acme Trading"}}}
}

func (s *show) optOut(ctx context.Context, phones []string) error {
	at := time.Date(2026, 10, 15, 9, 0, 0, 0, time.UTC)
	for _, p := range phones {
		if _, err := s.api().RecordConsent(ctx, client.NewConsent{Action: "opt_out", Phone: p, Purposes: []string{"marketing"},
			Method: "phone_call", Source: "call centre", OccurredAt: &at}); err != nil {
			return err
		}
	}
	return nil
}

// define makes the campaign and checks it without sending.
func (s *show) define(ctx context.Context, audience string) (campaign string, eligible int64, err error) {
	template, err := s.rig.Template(ctx, s.kept.Tenant, "offer", "ar")
	if err != nil {
		return "", 0, err
	}
	made, err := s.api().CreateCampaign(ctx, client.NewCampaign{Name: fmt.Sprintf("Autumn offer %d", s.kept.Runs),
		NumberID: s.kept.Tenant.Number, TemplateID: template, AudienceIDs: []string{audience},
		Variables: client.Variables{Body: []client.Value{{Attribute: "name", Fallback: "صديقنا"}, {Attribute: "city"}}}})
	if err != nil {
		return "", 0, err
	}
	started, err := s.api().CheckCampaign(ctx, made.ID)
	if err != nil {
		return "", 0, err
	}
	if err := s.wait(ctx, "the check", started.JobID); err != nil {
		return "", 0, err
	}
	check, err := s.api().GetCheck(ctx, made.ID, started.CheckID)
	if err != nil {
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
	began := time.Now()
	launched, err := s.api().LaunchCampaign(ctx, campaign, client.Launch{ExpectedRecipients: eligible})
	if err != nil {
		return nil, err
	}
	o.run = strings.TrimPrefix(launched.RunID, "run_")
	if err := limited(ctx, "the campaign", func(ctx context.Context) error { return s.follow(ctx, campaign, o) }); err != nil {
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
	stopped := false
	err := rig.Until(ctx, 250*time.Millisecond, func() (bool, error) {
		var err error
		if o.report, err = s.api().GetReport(ctx, campaign); err != nil {
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
