package api

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/campaigns/schedule"
	"bareed/campaigns/transport"
	"bareed/internal/errs"
	"bareed/internal/id"
)

func (s *Server) campaigns() {
	add(s, "POST /v1/campaigns", s.createCampaign)
	add(s, "GET /v1/campaigns", s.listCampaigns)
	add(s, "GET /v1/campaigns/{campaign}", s.getCampaign)
	add(s, "PATCH /v1/campaigns/{campaign}", s.editCampaign)
	add(s, "DELETE /v1/campaigns/{campaign}", s.deleteCampaign)
	add(s, "POST /v1/campaigns/{campaign}/duplicate", s.duplicateCampaign)
	s.campaignActions()
	s.campaignReports()
	s.errorCodeRoutes()
}

func etag(version int) string { return `"` + strconv.Itoa(version) + `"` }

// ifMatch reads the version the caller read; version.required without one.
func ifMatch(header string, body *int) (int, error) {
	if header == "*" { // any version: what the body says counts
		header = ""
	}
	switch {
	case header == "" && body == nil:
		return 0, errs.New("version.required")
	case header == "":
		return *body, nil
	}
	v, err := strconv.Atoi(strings.Trim(strings.TrimPrefix(header, "W/"), `"`))
	if err != nil || body != nil && *body != v {
		return 0, nil // of another making, so it matches no version
	}
	return v, nil
}

type campaignBody struct {
	Name          string         `json:"name" doc:"Unique in the workspace, at most 100 characters"`
	NumberID      id.Number      `json:"number_id"`
	TemplateID    id.Template    `json:"template_id"`
	AudienceIDs   []id.Audience  `json:"audience_ids" doc:"Their union; everybody once"`
	Variables     plan.Variables `json:"variables,omitempty" doc:"What fills the template's parameters"`
	UnknownPolicy string         `json:"unknown_policy,omitempty" doc:"hold or evidence: what becomes of messages without an answer; the workspace's when not given"`
	PerMinute     *int           `json:"per_minute,omitempty" doc:"The campaign's own pace; as fast as the number may when not given"`
	FinishWithin  *int           `json:"finish_within_minutes,omitempty" doc:"Instead of per_minute: the pace is what sending to everybody in this time takes; 10 to 10080"`
	SendAt        string         `json:"send_at,omitempty" doc:"2026-12-01T10:00:00Z, or 2026-12-01T10:00 with a zone; at launch when not given"`
	Zone          string         `json:"zone,omitempty" doc:"IANA name, such as Asia/Riyadh"`

	Schedule *schedule.Rules `json:"schedule,omitempty" doc:"Instead of send_at and zone: what recurs, each person's own zone, the hours in which messages may leave"`

	Transport       string `json:"transport,omitempty" doc:"cloud (when not given): Meta's Cloud API. marketing_messages: Meta's Marketing Messages API, for marketing templates of an account that is set up for it"`
	ProductPolicy   string `json:"product_policy,omitempty" doc:"With marketing_messages, what Meta does with a message that it cannot take: CLOUD_API_FALLBACK (when not given) sends it by the Cloud API, STRICT refuses it"`
	ActivitySharing bool   `json:"activity_sharing,omitempty" doc:"With marketing_messages: Meta may use what people do with these messages to optimise others"`
}

type createCampaignInput struct {
	Body campaignBody
}

func (s *Server) createCampaign(ctx context.Context, a accounts.Actor, in *createCampaignInput) (*versioned[campaigns.Campaign], error) {
	b := in.Body
	out, err := s.campaign(ctx, a, func(tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Create(ctx, tx, a, campaigns.Definition{Name: b.Name, NumberID: b.NumberID, TemplateID: b.TemplateID,
			AudienceIDs: b.AudienceIDs, Variables: b.Variables, UnknownPolicy: b.UnknownPolicy, PerMinute: b.PerMinute, FinishWithin: b.FinishWithin,
			SendAt: b.SendAt, Zone: b.Zone, Schedule: b.Schedule,
			Way: transport.Choice{Transport: b.Transport, ProductPolicy: b.ProductPolicy, ActivitySharing: b.ActivitySharing}})
	})
	if err == nil {
		out.Location = "/v1/campaigns/" + out.Body.ID.String()
	}
	return out, err
}

// campaign runs an action that answers with the campaign.
func (s *Server) campaign(ctx context.Context, a accounts.Actor, act func(tx pgx.Tx) (campaigns.Campaign, error)) (*versioned[campaigns.Campaign], error) {
	out, err := front.AnswerTagged(ctx, s.Front, a, func(c campaigns.Campaign) string { return etag(c.Version) }, act)
	out.Body.Tell(front.Lang(ctx))
	return out, err
}

type listCampaignsInput struct {
	Paging
	State  string `query:"state" doc:"States, with commas between"`
	Search string `query:"search" doc:"A part of the name"`
}

func (s *Server) listCampaigns(ctx context.Context, a accounts.Actor, in *listCampaignsInput) (*list[campaigns.Campaign], error) {
	p, err := s.page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	f := campaigns.Filter{Search: in.Search, Limit: p.Limit + 1}
	if f.After, err = afterID[id.Campaign](p); err != nil {
		return nil, err
	}
	for _, state := range strings.FieldsFunc(in.State, func(r rune) bool { return r == ',' }) {
		if _, ok := campaigns.Transitions[campaigns.State(state)]; !ok {
			return nil, errs.New("campaign.state_unknown", "got", errs.Clip(state))
		}
		f.States = append(f.States, campaigns.State(state))
	}
	var rows []campaigns.Campaign
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		rows, err = campaigns.List(ctx, tx, a.Workspace, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].Tell(front.Lang(ctx))
	}
	return listed(ctx, s, a, p, rows, func(c campaigns.Campaign) string { return c.ID.String() }), nil
}

type campaignInput struct {
	Campaign id.Campaign `path:"campaign"`
}

func (s *Server) getCampaign(ctx context.Context, a accounts.Actor, in *campaignInput) (*versioned[campaigns.Campaign], error) {
	return s.campaign(ctx, a, func(tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Get(ctx, tx, a.Workspace, in.Campaign)
	})
}

type editCampaignInput struct {
	Campaign id.Campaign `path:"campaign"`
	IfMatch  string      `header:"If-Match" doc:"The ETag of what was read; or version in the body"`
	Body     struct {
		Version       *int                           `json:"version,omitempty" doc:"What was read, instead of If-Match"`
		Name          *string                        `json:"name,omitempty"`
		NumberID      *id.Number                     `json:"number_id,omitempty"`
		TemplateID    *id.Template                   `json:"template_id,omitempty"`
		AudienceIDs   *[]id.Audience                 `json:"audience_ids,omitempty"`
		Variables     *plan.Variables                `json:"variables,omitempty" doc:"Replaces the whole mapping"`
		UnknownPolicy front.Nullable[string]         `json:"unknown_policy,omitempty"`
		PerMinute     front.Nullable[int]            `json:"per_minute,omitempty"`
		FinishWithin  front.Nullable[int]            `json:"finish_within_minutes,omitempty"`
		SendAt        front.Nullable[string]         `json:"send_at,omitempty"`
		Zone          front.Nullable[string]         `json:"zone,omitempty"`
		Schedule      front.Nullable[schedule.Rules] `json:"schedule,omitempty" doc:"Replaces send_at and zone too"`

		Transport       front.Nullable[string] `json:"transport,omitempty" doc:"Another one takes the policy and sharing of the old one away"`
		ProductPolicy   front.Nullable[string] `json:"product_policy,omitempty"`
		ActivitySharing *bool                  `json:"activity_sharing,omitempty"`
	}
}

func (s *Server) editCampaign(ctx context.Context, a accounts.Actor, in *editCampaignInput) (*versioned[campaigns.Campaign], error) {
	b := in.Body
	version, err := ifMatch(in.IfMatch, b.Version)
	if err != nil {
		return nil, err
	}
	ch := campaigns.Change{Name: b.Name, NumberID: b.NumberID, TemplateID: b.TemplateID, AudienceIDs: b.AudienceIDs,
		Variables: b.Variables, UnknownPolicy: b.UnknownPolicy.Change(""), SendAt: b.SendAt.Change(""), Zone: b.Zone.Change(""),
		Way: transport.Change{Transport: b.Transport.Change(""), ProductPolicy: b.ProductPolicy.Change(""), ActivitySharing: b.ActivitySharing}}
	if b.PerMinute.Set {
		ch.PerMinute = &b.PerMinute.Value
	}
	if b.FinishWithin.Set {
		ch.FinishWithin = &b.FinishWithin.Value
	}
	if b.Schedule.Set {
		ch.Schedule = &b.Schedule.Value
	}
	return s.campaign(ctx, a, func(tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Edit(ctx, tx, a, in.Campaign, version, ch)
	})
}

func (s *Server) deleteCampaign(ctx context.Context, a accounts.Actor, in *campaignInput) (*empty, error) {
	return nil, s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return campaigns.Delete(ctx, tx, a, in.Campaign)
	})
}

func (s *Server) duplicateCampaign(ctx context.Context, a accounts.Actor, in *campaignInput) (*versioned[campaigns.Campaign], error) {
	out, err := s.campaign(ctx, a, func(tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Duplicate(ctx, tx, a, in.Campaign, "copy")
	})
	if err == nil {
		out.Location = "/v1/campaigns/" + out.Body.ID.String()
	}
	return out, err
}
