import { Course } from "./course.tsx";
import { Outcome } from "./outcome.tsx";
import { SettingsForm } from "./settings-form.tsx";
import { TextChoice } from "./text-choice.tsx";
import "./train.css";

/** A small GPT-2 learns a text of the reader's, in the tab. */
export function TrainPart() {
  return (
    <div class="train-part">
      <TextChoice />
      <SettingsForm />
      <Course />
      <Outcome />
    </div>
  );
}
