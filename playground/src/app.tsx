import { Header } from "./header.tsx";
import { OffBar } from "./inside/off-bar.tsx";
import { LaterPart } from "./later-part.tsx";
import { ModelsPart } from "./models/models-part.tsx";
import { Notices } from "./models/notices.tsx";
import { view } from "./state.ts";
import { TextPane } from "./text/text-pane.tsx";
import { TokenPart } from "./text/token-part.tsx";
import { Announcements } from "./ui/announcements.tsx";
import { LATER } from "./views.ts";

export function App() {
  const shown = view.value;
  const later = LATER[shown];
  return (
    <>
      <Header />
      <main>
        <Notices />
        <OffBar />
        {shown !== "train" && shown !== "models" && <TextPane />}
        <div role="tabpanel" id="part" aria-labelledby={`tab-${shown}`}>
          {shown === "text" && <TokenPart />}
          {shown === "models" && <ModelsPart />}
          {later && <LaterPart key={shown} load={later} />}
        </div>
      </main>
      <Announcements />
    </>
  );
}
