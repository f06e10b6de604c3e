//go:build unix

package rig

import (
	"context"
	"strings"

	"bareed/client"
)

// Definition is a campaign of the template offer to people of one file.
type Definition struct {
	Name      string
	CSV       string // phone, name, city, opt_in, opt_in_at
	PerMinute int    // 0: as fast as the number may
	Policy    string // of unknown outcomes; empty: the workspace's
	Schedule  *client.Rules
}

// Campaign imports the people, makes the campaign and checks it, as a customer's
// program would, and returns its id and how many may be sent to.
func (r *Rig) Campaign(ctx context.Context, t *Tenant, d Definition) (campaign string, eligible int64, err error) {
	c := r.Client(t.Key)
	a, err := c.CreateAudience(ctx, d.Name)
	if err != nil {
		return "", 0, err
	}
	up, err := c.CreateImport(ctx, a.ID, client.Upload{File: strings.NewReader(d.CSV), Name: d.Name + ".csv",
		Settings: client.ImportSettings{Consent: &client.Declaration{Covers: "rows", Purposes: []string{"marketing"}, Method: "web_form",
			Source: "https://acme.example", Wording: &client.Wording{Version: "1", Text: "Acme may write to me on WhatsApp", BusinessName: "Acme"}}}})
	if err != nil {
		return "", 0, err
	}
	if _, err := c.WaitJob(ctx, up.Job.ID); err != nil {
		return "", 0, err
	}
	template, err := r.Template(ctx, t, "offer", "en")
	if err != nil {
		return "", 0, err
	}
	n := client.NewCampaign{Name: d.Name, NumberID: t.Number, TemplateID: template, AudienceIDs: []string{a.ID}, UnknownPolicy: d.Policy,
		Variables: client.Variables{Body: []client.Value{{Attribute: "name"}, {Attribute: "city"}}}, Schedule: d.Schedule}
	if d.PerMinute > 0 {
		n.PerMinute = &d.PerMinute
	}
	made, err := c.CreateCampaign(ctx, n)
	if err != nil {
		return "", 0, err
	}
	eligible, err = r.check(ctx, c, made.ID)
	return made.ID, eligible, err
}

func (r *Rig) check(ctx context.Context, c *client.Client, campaign string) (int64, error) {
	asked, err := c.CheckCampaign(ctx, campaign)
	if err != nil {
		return 0, err
	}
	if _, err := c.WaitJob(ctx, asked.JobID); err != nil {
		return 0, err
	}
	got, err := c.GetCheck(ctx, campaign, asked.CheckID)
	return got.Eligible, err
}
