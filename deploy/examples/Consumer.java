// The least a city needs to read the suite's topics, in Java: java -cp <kafka-clients and its jars> Consumer.java BOOTSTRAP TOPIC GROUP COUNT FOLDER
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

class Consumer {
    public static void main(String[] told) {
        var settings = Map.<String, Object>of(
            "bootstrap.servers", told[0], "group.id", told[2], "enable.auto.commit", false, "auto.offset.reset", "earliest",
            "security.protocol", "SSL", "ssl.keystore.type", "PEM", "ssl.keystore.location", told[4] + "/client.pem",
            "ssl.truststore.type", "PEM", "ssl.truststore.location", told[4] + "/ca.crt");
        var seen = new HashSet<String>(); // in your own database, in the transaction of the effect
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(told[1]));
            while (seen.size() < Integer.parseInt(told[3])) {
                for (var one : consumer.poll(Duration.ofMillis(500))) {
                    var type = new String(one.headers().lastHeader("ce_type").value());
                    var id = new String(one.headers().lastHeader("ce_id").value());
                    if (type.equals("messaging.heartbeat.v1") || !seen.add(id)) continue;
                    System.out.println(type + " " + one.key());
                }
                consumer.commitSync(); // only after the effect is committed
            }
        }
    }
}
